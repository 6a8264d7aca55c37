package packet

import (
	"bytes"
	"testing"

	"rtfm/ruleset"
)

func benchmarkDecode(b *testing.B, link uint32, frame []byte) {
	var p ruleset.Packet
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		Decode(&p, link, frame, uint32(len(frame)))
	}
}

func BenchmarkDecode(b *testing.B) {
	tcp := bytes.Repeat([]byte{2}, 20)
	v4 := append([]byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}, tcp...)
	v6 := append([]byte{0x60, 0, 0, 0, 0, 20, 6, 64, 39: 1}, tcp...)
	b.Run("Ethernet,IPv4,TCP", func(b *testing.B) { benchmarkDecode(b, 1, append([]byte{12: 8, 13: 0}, v4...)) })
	b.Run("Ethernet,IPv6,TCP", func(b *testing.B) { benchmarkDecode(b, 1, append([]byte{12: 0x86, 13: 0xdd}, v6...)) })
	b.Run("Ethernet,VLAN,IPv4,TCP", func(b *testing.B) { benchmarkDecode(b, 1, append([]byte{12: 0x81, 13: 0, 16: 8, 17: 0}, v4...)) })
	b.Run("Raw,IPv4,TCP", func(b *testing.B) { benchmarkDecode(b, 101, v4) })
}
