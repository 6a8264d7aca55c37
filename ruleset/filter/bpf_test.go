package filter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os/exec"
	"testing"
)

// bpf is a program of the BSD packet filter, which libpcap makes of a filter.
type bpf []struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

// compileBPF has tcpdump make the program of a filter for a link type, which has
// this name of pcap's.
func compileBPF(t *testing.T, tcpdump, link, filter string) bpf {
	t.Helper()
	var errs bytes.Buffer
	cmd := exec.Command(tcpdump, "-s", "262144", "-y", link, "-ddd", filter)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", filter, err, errs.String())
	}
	r := bytes.NewReader(out)
	var n int
	fmt.Fscan(r, &n)
	prog := make(bpf, n)
	for i := range prog {
		in := &prog[i]
		if _, err := fmt.Fscan(r, &in.code, &in.jt, &in.jf, &in.k); err != nil {
			t.Fatalf("%s: %v in %q", filter, err, out)
		}
	}
	return prog
}

// passes runs the program over a frame. outside reports that it has looked behind
// the frame's end, which lets no packet pass.
func (prog bpf) passes(frame []byte, wire uint32) (is, outside bool) {
	var a, x uint32
	var m [16]uint32
	load := func(at uint32, size int) (uint32, bool) {
		if uint64(at)+uint64(size) > uint64(len(frame)) {
			return 0, false
		}
		switch b := frame[at:]; size {
		case 4:
			return binary.BigEndian.Uint32(b), true
		case 2:
			return uint32(binary.BigEndian.Uint16(b)), true
		default:
			return uint32(b[0]), true
		}
	}
	for pc := 0; ; pc++ {
		in := &prog[pc]
		src := in.k
		if in.code&0x08 != 0 {
			src = x
		}
		size := [...]int{4, 2, 1, 0}[in.code>>3&3]
		ok := true
		switch in.code & 7 {
		case 0: // ld
			switch in.code & 0xe0 {
			case 0x00:
				a = in.k
			case 0x20:
				a, ok = load(in.k, size)
			case 0x40:
				a, ok = load(x+in.k, size)
			case 0x60:
				a = m[in.k]
			case 0x80:
				a = wire
			}
		case 1: // ldx
			switch in.code & 0xe0 {
			case 0x00:
				x = in.k
			case 0x60:
				x = m[in.k]
			case 0x80:
				x = wire
			case 0xa0:
				x, ok = load(in.k, 1)
				x = x & 15 * 4
			}
		case 2:
			m[in.k] = a
		case 3:
			m[in.k] = x
		case 4:
			switch in.code & 0xf0 {
			case 0x00:
				a += src
			case 0x10:
				a -= src
			case 0x20:
				a *= src
			case 0x40:
				a |= src
			case 0x50:
				a &= src
			case 0x60:
				a <<= src
			case 0x70:
				a >>= src
			default:
				panic(fmt.Sprintf("opcode %#x", in.code))
			}
		case 5:
			holds := false
			switch in.code & 0xf0 {
			case 0x00:
				pc += int(in.k)
				continue
			case 0x10:
				holds = a == src
			case 0x20:
				holds = a > src
			case 0x30:
				holds = a >= src
			case 0x40:
				holds = a&src != 0
			}
			if holds {
				pc += int(in.jt)
			} else {
				pc += int(in.jf)
			}
		case 6:
			return in.k != 0, false
		case 7:
			if in.code&0xf8 == 0 {
				x = a
			} else {
				a = x
			}
		}
		if !ok {
			return false, true
		}
	}
}
