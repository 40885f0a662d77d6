"""H.264 that x264 does not make: long-term references, gaps in the numbers of
pictures, and field pictures."""

import random

from bitstream import Reader, Writer, join, split

IDR, SPS = 5, 7


def parse_sps(unit):
    """Bits of frame_num and of the order count."""
    return read_sps(unit)[1:]


def gaps_flag(unit):
    """Where the bit is that allows gaps in frame_num."""
    r = read_sps(unit)[0]
    r.ue()  # reference frames
    return r.at


def read_sps(unit):
    r = Reader(unit)
    r.get(8)
    profile = r.get(8)
    r.get(16)
    r.ue()
    if profile >= 100:
        r.ue()
        r.ue()
        r.ue()
        r.get(1)
        assert not r.get(1), "scaling lists in the sequence"
    frame_num_bits = r.ue() + 4
    order_type = r.ue()
    order_bits = r.ue() + 4 if order_type == 0 else 0
    return r, frame_num_bits, order_bits


def make_long_term(stream):
    """Keep each IDR picture as a long-term reference: one bit of its header."""
    units = split(stream)
    flipped = 0
    for n, unit in enumerate(units):
        kind = unit[0] & 31
        if kind == SPS:
            frame_num_bits, order_bits = parse_sps(unit)
        if kind != IDR:
            continue
        r = Reader(unit)
        r.get(8)
        r.ue()  # first macroblock
        r.ue()  # type
        r.ue()  # parameter set
        r.get(frame_num_bits)
        r.ue()  # number of the IDR picture
        r.get(order_bits)
        r.get(1)  # no output of prior pictures
        units[n] = flip(unit, r.at)
        flipped += 1
    assert flipped
    return join(units)


def flip(unit, at):
    """The unit with its bit @at set, which it was not."""
    changed = bytearray(unit)
    assert not changed[at // 8] >> (7 - at % 8) & 1
    changed[at // 8] |= 0x80 >> at % 8
    return bytes(changed)


def make_gaps(stream):
    """Leave pictures out, and say that this may be."""
    out = []
    pictures = 0
    for unit in split(stream):
        kind = unit[0] & 31
        if kind == SPS:
            unit = flip(unit, gaps_flag(unit))
        pictures += kind in (1, IDR)
        if kind != 1 or pictures % 7:
            out.append(unit)
    return join(out)


WIDTH, HEIGHT = 4, 4  # macroblocks of a frame


def _sps():
    w = Writer()
    w.put(8, 0x67)
    w.put(8, 77)  # main
    w.put(8, 0)
    w.put(8, 30)
    w.ue(0)
    w.ue(0)  # 4 bits of frame_num
    w.ue(0)  # order counted in 4 bits
    w.ue(0)
    w.ue(2)  # reference frames
    w.put(1, 0)
    w.ue(WIDTH - 1)
    w.ue(HEIGHT // 2 - 1)
    w.put(1, 0)  # fields may be
    w.put(1, 0)  # no adaptive macroblocks
    w.put(1, 1)
    w.put(1, 0)
    w.put(1, 0)
    w.align()
    return w.bytes()


def _pps():
    w = Writer()
    w.put(8, 0x68)
    w.ue(0)
    w.ue(0)
    w.put(1, 0)  # CAVLC
    w.put(1, 0)
    w.ue(0)
    w.ue(0)
    w.ue(0)
    w.put(3, 0)
    w.se(0)
    w.se(0)
    w.se(0)
    w.put(1, 0)
    w.put(1, 0)
    w.put(1, 0)
    w.align()
    return w.bytes()


def _slice(frame, field, intra, rng):
    """@field is 0 or 1, or None for a frame picture. Macroblocks are raw, or,
    in pictures that are not @intra, copied but for some."""
    idr = frame == 0 and not field
    rows = HEIGHT if field is None else HEIGHT // 2
    count = WIDTH * rows
    w = Writer()
    w.put(8, 0x65 if idr else 0x61)
    w.ue(0)
    w.ue(7 if intra else 5)
    w.ue(0)
    w.put(4, frame % 16)
    w.put(1, field is not None)
    if field is not None:
        w.put(1, field)
    if idr:
        w.ue(0)
    w.put(4, (2 * frame + (field or 0)) % 16)
    if not intra:
        w.put(1, 0)  # number of references as in the parameter set
        w.put(1, 0)  # lists as they are
    if idr:
        w.put(2, 0)
    else:
        w.put(1, 0)  # sliding window
    w.se(0)
    skipped = 0
    for n in range(count):
        if not intra:
            if rng.random() < 0.7:
                skipped += 1
                continue
            w.ue(skipped)
            skipped = 0
        w.ue(25 if intra else 30)  # raw
        while len(w.bits) % 8:
            w.bits.append(0)
        level = rng.randrange(1, 256)
        for _ in range(384):
            w.put(8, min(255, max(1, level + rng.randrange(-20, 20))))
    if skipped:
        w.ue(skipped)
    w.align()
    return w.bytes()


def make_fields(frames=12):
    """Frames coded as two fields, the second predicted from the first, mixed
    with frames coded as one picture."""
    rng = random.Random(1)
    units = [_sps(), _pps()]
    for frame in range(frames):
        if frame % 4 == 3:
            units.append(_slice(frame, None, False, rng))
        else:
            units.append(_slice(frame, 0, frame == 0, rng))
            units.append(_slice(frame, 1, False, rng))
    return join(units)
