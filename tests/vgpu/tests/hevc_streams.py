"""HEVC that x265 does not make: reference picture sets in the sequence's
parameters, and long-term references.

Both are made of a stream of x265 in which every picture refers to up to three
before it. Slice headers are written anew; that they end at the same bit of a
byte is seen to by the extra bits that the picture parameter set announces."""

from bitstream import Reader, Writer, join, split

TRAIL_R, IDR_W_RADL, IDR_N_LP, VPS, SPS, PPS = 1, 19, 20, 32, 33, 34
REFERENCES = 3


def kind_of(unit):
    return unit[0] >> 1 & 63


def copy(r, w, count):
    return w.put(count, r.get(count))


def copy_ue(r, w):
    return w.ue(r.ue())


def rewrite_sps(unit, put_sets):
    """Copy up to the reference picture sets and from behind them."""
    r, w = Reader(unit), Writer()
    copy(r, w, 16 + 8)  # header, numbers, layers
    copy(r, w, 88)  # profile
    copy(r, w, 8)  # level
    copy_ue(r, w)
    assert copy_ue(r, w) == 1
    width = copy_ue(r, w)
    height = copy_ue(r, w)
    if copy(r, w, 1):
        for _ in range(4):
            copy_ue(r, w)
    copy_ue(r, w)
    copy_ue(r, w)
    order_bits = copy_ue(r, w) + 4
    copy(r, w, 1)
    for _ in range(3):
        copy_ue(r, w)
    min_block = copy_ue(r, w) + 3
    block = min_block + copy_ue(r, w)
    for _ in range(4):
        copy_ue(r, w)
    assert not copy(r, w, 1), "scaling lists"
    copy(r, w, 2)
    assert not copy(r, w, 1), "raw blocks"
    assert r.ue() == 0 and r.get(1) == 0, "there are sets already"
    put_sets(w, order_bits)
    w.bits += r.rest()
    w.align()
    return w.bytes(), order_bits


def rewrite_pps(unit, extra_bits):
    r, w = Reader(unit), Writer()
    copy(r, w, 16)
    copy_ue(r, w)
    copy_ue(r, w)
    copy(r, w, 2)
    assert r.get(3) == 0
    w.put(3, extra_bits)
    w.bits += r.rest()
    w.align()
    return w.bytes()


def skip_explicit_set(r):
    """What x265 writes; returns how many pictures before the current one."""
    assert r.get(1) == 0
    before, after = r.ue(), r.ue()
    assert after == 0
    for _ in range(before):
        assert r.ue() == 0  # each one picture before the last
        r.get(1)
    return before


def rewrite_slice(unit, order_bits, put_set):
    """Returns the unit and how many extra bits its header needs."""
    r, head, tail = Reader(unit), Writer(), Writer()
    idr = kind_of(unit) in (IDR_W_RADL, IDR_N_LP)
    copy(r, head, 16)
    assert copy(r, head, 1), "one slice a picture"
    if idr:
        copy(r, head, 1)
    copy_ue(r, head)
    copy_ue(r, tail)  # type
    if not idr:
        order = copy(r, tail, order_bits)
        put_set(tail, order, skip_explicit_set(r))
    extra = (r.at - len(head.bits) - len(tail.bits)) % 8
    head.put(extra, 0)
    w = Writer()
    w.bits = head.bits + tail.bits + r.rest()
    w.align()
    return w.bytes(), extra


def rewrite(stream, put_sps_sets, put_slice_set):
    out = []
    pps = None
    for unit in split(stream):
        kind = kind_of(unit)
        if kind == SPS:
            unit, order_bits = rewrite_sps(unit, put_sps_sets)
        elif kind == PPS:
            pps = unit
            continue
        elif kind < VPS:
            unit, extra = rewrite_slice(unit, order_bits, put_slice_set)
            out.append(rewrite_pps(pps, extra))
        out.append(unit)
    return join(out)


def put_explicit(w, count, unused=None):
    """The @count pictures before; the one @unused is only kept for later."""
    w.ue(count)
    w.ue(0)
    for n in range(count):
        w.ue(0)
        w.put(1, n != unused)


def put_predicted(w, of):
    """The set of @of + 1 pictures, as a difference to that of @of pictures:
    all of them one picture further away, and the nearest one."""
    w.put(1, 1)  # sign
    w.ue(0)  # by one picture
    for _ in range(of + 1):
        w.put(1, 1)  # used


def make_sets(stream):
    """Sets in the sequence's parameters, all but the first as differences;
    slices name them, or give a difference to the last of them."""

    def in_sps(w, _order_bits):
        w.ue(REFERENCES)
        put_explicit(w, 1)
        for n in range(1, REFERENCES):
            w.put(1, 1)
            put_predicted(w, n)
        w.put(1, 0)  # no long-term pictures

    def in_slice(w, order, count):
        if count == REFERENCES and order % 4 == 0:
            w.put(1, 0)
            w.put(1, 1)
            w.ue(1)  # the last set but one, of two pictures
            put_predicted(w, REFERENCES - 1)
        else:
            w.put(1, 1)
            w.put(2, count - 1)

    return rewrite(stream, in_sps, in_slice)


def make_long_term(stream):
    """From the fifth picture on, the first one is a long-term reference in place
    of the third before. It is named by its place in a table of the sequence's
    parameters, or by its order count with or without upper bits. Now and then it,
    or one of the others, is kept without being referred to."""

    def in_sps(w, order_bits):
        w.ue(0)
        w.put(1, 1)
        w.ue(2)
        for order in (7, 0):
            w.put(order_bits, order)
            w.put(1, 1)

    def in_slice(w, order, count):
        keep = order > REFERENCES
        w.put(1, 0)
        put_explicit(w, count - 1 if keep else count, 0 if keep and order % 4 == 2 else None)
        by_table = keep and order % 3 == 0
        w.ue(1 if by_table else 0)
        w.ue(1 if keep and not by_table else 0)
        if by_table:
            w.put(1, 1)  # the second row
        elif keep:
            w.put(8, 0)
            w.put(1, order % 5 != 0)
        if keep:
            w.put(1, order % 2)
            if order % 2:
                w.ue(0)

    return rewrite(stream, in_sps, in_slice)
