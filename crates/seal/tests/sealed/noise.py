"""Another initiator, for the tests: Noise_XX_25519_ChaChaPoly_BLAKE2s and aperto's datagrams.

Written from the Noise Protocol Framework (revision 34), RFC 7748, RFC 8439 and the table in
crates/seal/src/format.rs, with nothing but Python's standard library. It first checks itself with
the RFCs' own vectors. Datagrams go out and come in as lines of hexadecimal digits.
"""

import hashlib
import hmac
import struct
import sys

P = 2**255 - 19


def x25519(scalar, u):  # RFC 7748, 5
    k = int.from_bytes(scalar, "little") & ((1 << 254) - 8) | (1 << 254)
    x1 = int.from_bytes(u, "little") & ((1 << 255) - 1)
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def chacha20(key, counter, nonce, data):  # RFC 8439, 2.4
    def quarter(s, a, b, c, d):
        for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            s[z] ^= s[x]
            s[z] = (s[z] << by | s[z] >> (32 - by)) & 0xFFFFFFFF

    out = b""
    for at in range(0, len(data), 64):
        start = list(struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce))
        s = start[:]
        for _ in range(10):
            for i in range(4):
                quarter(s, i, 4 + i, 8 + i, 12 + i)
            for i in range(4):
                quarter(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
        block = struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(s, start)))
        out += bytes(a ^ b for a, b in zip(data[at : at + 64], block))
        counter += 1
    return out


def tag(key, nonce, ad, sealed):  # RFC 8439, 2.5 and 2.8
    one = chacha20(key, 0, nonce, bytes(32))
    r = int.from_bytes(one[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    pad = lambda octets: octets + bytes(-len(octets) % 16)
    text = pad(ad) + pad(sealed) + struct.pack("<QQ", len(ad), len(sealed))
    total = 0
    for at in range(0, len(text), 16):
        total = (total + int.from_bytes(text[at : at + 16] + b"\1", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(one[16:], "little")) % 2**128).to_bytes(16, "little")


def seal(key, n, ad, text):
    nonce = bytes(4) + struct.pack("<Q", n)
    sealed = chacha20(key, 1, nonce, text)
    return sealed + tag(key, nonce, ad, sealed)


def unseal(key, n, ad, sealed):
    nonce = bytes(4) + struct.pack("<Q", n)
    assert tag(key, nonce, ad, sealed[:-16]) == sealed[-16:], "the tag does not fit"
    return chacha20(key, 1, nonce, sealed[:-16])


def vectors():
    scalar = bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    u = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    assert x25519(scalar, u).hex() == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    # RFC 8439, 2.8.2; its nonce begins with 07000000, so the parts are called by themselves.
    key, nonce = bytes(range(0x80, 0xA0)), bytes.fromhex("070000004041424344454647")
    text = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        b"sunscreen would be it."
    )
    sealed = chacha20(key, 1, nonce, text)
    assert sealed[:16].hex() == "d31a8d34648e60db7b86afbc53ef7ec2"
    ad = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    assert tag(key, nonce, ad, sealed).hex() == "1ae10b594f09e26a7e902ecbd0600691"


blake2s = lambda *parts: hashlib.blake2s(b"".join(parts)).digest()


class Symmetric:  # Noise, 5.2
    def __init__(self, name, prologue):
        self.h = self.ck = blake2s(name) if len(name) > 32 else name.ljust(32, b"\0")
        self.k, self.n = None, 0
        self.mix_hash(prologue)

    def mix_hash(self, data):
        self.h = blake2s(self.h, data)

    def hkdf(self, data):
        mac = lambda key, text: hmac.new(key, text, hashlib.blake2s).digest()
        temp = mac(self.ck, data)
        first = mac(temp, b"\1")
        return first, mac(temp, first + b"\2")

    def mix_key(self, data):
        self.ck, self.k = self.hkdf(data)
        self.n = 0

    def encrypt(self, text):
        out = text if self.k is None else seal(self.k, self.n, self.h, text)
        self.n += 1
        self.mix_hash(out)
        return out

    def decrypt(self, octets):
        out = octets if self.k is None else unseal(self.k, self.n, self.h, octets)
        self.n += 1
        self.mix_hash(octets)
        return out


def say(datagram):
    print(datagram.hex(), flush=True)


def hear():
    return bytes.fromhex(sys.stdin.readline())


def main():
    vectors()
    nine = (9).to_bytes(32, "little")
    static, once = bytes(range(1, 33)), bytes(range(101, 133))
    state = Symmetric(
        b"Noise_XX_25519_ChaChaPoly_BLAKE2s",
        b"aperto seal 1: the initiator is the client, the responder is the server; " + b"python",
    )
    # e, and a payload of our index and zeros.
    ours = b"\x2a\0\0\0"
    noise = x25519(once, nine)
    state.mix_hash(noise)
    noise += state.encrypt(ours + bytes(72))
    hello = b"\1\1\0\0" + noise
    say(hello + blake2s(b"aperto seal hello", hello)[:16])
    # e, ee, s, es.
    answer = hear()
    assert len(answer) == 108 and answer[:8] == b"\2\1\0\0" + ours
    theirs = answer[8:40]
    state.mix_hash(theirs)
    state.mix_key(x25519(once, theirs))
    server = state.decrypt(answer[40:88])
    state.mix_key(x25519(once, server))
    index = state.decrypt(answer[88:])
    # s, se.
    proof = state.encrypt(x25519(static, nine))
    state.mix_key(x25519(static, theirs))
    proof += state.encrypt(b"")
    say(b"\3\1\0\0" + index + proof)
    up, down = state.hkdf(b"")
    first = hear()
    assert first[:16] == b"\4\1\0\0" + ours + bytes(8)
    assert unseal(down, 0, b"", first[16:]) == b""
    say(b"\4\1\0\0" + index + struct.pack("<Q", 5) + seal(up, 5, b"", "olá do Python".encode()))
    packet = hear()
    (counter,) = struct.unpack("<Q", packet[8:16])
    say(unseal(down, counter, b"", packet[16:]) + server)


main()
