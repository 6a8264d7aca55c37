package anonymise

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
)

// Scheme is a way to replace IP addresses.
type Scheme uint8

// The schemes.
const (
	// CryptoPAn is that of J. Xu, J. Fan, M. Ammar and S. Moon, "Prefix-Preserving IP
	// Address Anonymization" (ICNP 2002), with AES-128, for addresses of 32 and 128 bits.
	CryptoPAn Scheme = iota
	// IpcryptPFX is ipcrypt-pfx of draft-denis-ipcrypt.
	IpcryptPFX
)

// schemeNames are the schemes' names, as users write them.
var schemeNames = [...]string{CryptoPAn: "cryptopan", IpcryptPFX: "ipcrypt-pfx"}

// SchemeNames returns the names of all schemes.
func SchemeNames() []string { return schemeNames[:] }

// String returns the scheme's name.
func (s Scheme) String() string { return schemeNames[s] }

// KeySize is the length of a key of any scheme in octets.
const KeySize = 32

// Key is a key of a scheme. All addresses can be told from their replacements by who
// has it.
type Key [KeySize]byte

// prefix is an address, or the first bits of one: those of IPv4 are the first 32.
type prefix struct{ hi, lo uint64 }

// bit returns bit n, 0 or 1. The first is bit 0.
func (p prefix) bit(n int) uint64 {
	if n < 64 {
		return p.hi >> (63 - n) & 1
	}
	return p.lo >> (127 - n) & 1
}

// with returns p with bit n, which was 0, set to bit.
func (p prefix) with(n int, bit uint64) prefix {
	if n < 64 {
		p.hi |= bit << (63 - n)
	} else {
		p.lo |= bit << (127 - n)
	}
	return p
}

// first returns the first n bits of p, and zeros.
func (p prefix) first(n int) prefix {
	mask := ones(n)
	return prefix{p.hi & mask.hi, p.lo & mask.lo}
}

// ones returns n ones, and zeros.
func ones(n int) prefix {
	if n <= 64 {
		return prefix{hi: ^uint64(0) << (64 - n)}
	}
	return prefix{^uint64(0), ^uint64(0) << (128 - n)}
}

// flipper says for each prefix of an address whether the bit after it is changed.
type flipper interface {
	// flip returns 1 if bit n of an address of width bits, 32 or 128, is changed, else 0.
	// It looks at the bits before it only.
	flip(p prefix, n, width int) uint64
}

// flipper returns that of the scheme.
func (s Scheme) flipper(key *Key) (flipper, error) {
	first, err := aes.NewCipher(key[:16])
	if err != nil {
		return nil, err
	}
	if s == CryptoPAn {
		c := &cryptoPAn{block: first}
		first.Encrypt(c.out[:], key[16:])
		c.pad = prefix{binary.BigEndian.Uint64(c.out[:]), binary.BigEndian.Uint64(c.out[8:])}
		return c, nil
	}
	if [16]byte(key[:16]) == [16]byte(key[16:]) {
		return nil, errors.New("both halves of the key are the same, which ipcrypt-pfx forbids")
	}
	second, err := aes.NewCipher(key[16:])
	if err != nil {
		return nil, err
	}
	return &ipcryptPFX{blocks: [2]cipher.Block{first, second}}, nil
}

// cryptoPAn takes the first bit of the ciphered block that begins with the prefix and
// goes on with a secret pad.
type cryptoPAn struct {
	block   cipher.Block
	pad     prefix
	in, out [aes.BlockSize]byte
}

func (c *cryptoPAn) flip(p prefix, n, _ int) uint64 {
	mask := ones(n)
	binary.BigEndian.PutUint64(c.in[:], p.hi&mask.hi|c.pad.hi&^mask.hi)
	binary.BigEndian.PutUint64(c.in[8:], p.lo&mask.lo|c.pad.lo&^mask.lo)
	c.block.Encrypt(c.out[:], c.in[:])
	return uint64(c.out[0] >> 7)
}

// ipcryptPFX takes the last bit of the difference of two ciphered blocks, which end with
// the prefix, after a one and zeros. Addresses of IPv4 are those of IPv6 that stand for
// them, ::ffff:0:0/96, of which that prefix stays.
type ipcryptPFX struct {
	blocks [2]cipher.Block
	in     [aes.BlockSize]byte
	out    [2][aes.BlockSize]byte
}

func (c *ipcryptPFX) flip(p prefix, n, width int) uint64 {
	var hi, lo uint64
	switch {
	case width == 32:
		hi, lo = 1<<(32+n), 0xffff<<n|p.hi>>(64-n)
	case n <= 64:
		lo = p.hi >> (64 - n)
		if n < 64 {
			lo |= 1 << n
		} else {
			hi = 1
		}
	default:
		hi, lo = 1<<(n-64)|p.hi>>(128-n), p.hi<<(n-64)|p.lo>>(128-n)
	}
	binary.BigEndian.PutUint64(c.in[:], hi)
	binary.BigEndian.PutUint64(c.in[8:], lo)
	for i, block := range c.blocks {
		block.Encrypt(c.out[i][:], c.in[:])
	}
	return uint64(c.out[0][15]^c.out[1][15]) & 1
}
