"""Bits, NAL units and exponential Golomb codes, for streams that no encoder at
hand makes."""


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def get(self, count):
        value = 0
        for _ in range(count):
            value = value << 1 | self.data[self.at // 8] >> (7 - self.at % 8) & 1
            self.at += 1
        return value

    def ue(self):
        length = 0
        while not self.get(1):
            length += 1
        return (1 << length) - 1 + self.get(length)

    def rest(self):
        """All that is left up to the last bit that is set, without it."""
        bits = []
        while self.at < 8 * len(self.data):
            bits.append(self.get(1))
        while not bits.pop():
            pass
        return bits


class Writer:
    def __init__(self):
        self.bits = []

    def put(self, count, value):
        self.bits += [value >> i & 1 for i in reversed(range(count))]
        return value

    def ue(self, value):
        length = (value + 1).bit_length()
        self.put(2 * length - 1, value + 1)
        return value

    def se(self, value):
        self.ue(2 * value - 1 if value > 0 else -2 * value)

    def align(self, first=1):
        """A bit @first and zeros up to a whole byte."""
        self.bits.append(first)
        while len(self.bits) % 8:
            self.bits.append(0)

    def bytes(self):
        assert len(self.bits) % 8 == 0
        return bytes(
            int("".join(map(str, self.bits[i : i + 8])), 2)
            for i in range(0, len(self.bits), 8)
        )


def split(stream):
    """The NAL units of a stream with start codes, unescaped."""
    units = []
    for part in stream.split(b"\0\0\1")[1:]:
        part = part.rstrip(b"\0")
        units.append(part.replace(b"\0\0\3", b"\0\0"))
    return units


def join(units):
    """A stream with start codes and emulation prevention."""
    stream = bytearray()
    for unit in units:
        stream += b"\0\0\0\1"
        zeros = 0
        for byte in unit:
            if zeros == 2 and byte <= 3:
                stream.append(3)
                zeros = 0
            stream.append(byte)
            zeros = 0 if byte else zeros + 1
    return bytes(stream)
