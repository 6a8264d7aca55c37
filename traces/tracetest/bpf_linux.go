package tracetest

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bpf is bpf(2), with a member of union bpf_attr of linux/bpf.h.
func bpf(command int, attr unsafe.Pointer, size uintptr) (int, error) {
	n, _, errno := syscall.Syscall(unix.SYS_BPF, uintptr(command), uintptr(attr), size)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// address returns that of what p points to, which stays there until pins are undone.
func address[T any](pins *runtime.Pinner, p *T) uint64 {
	pins.Pin(p)
	return uint64(uintptr(unsafe.Pointer(p)))
}

// bpfMap makes a map of one value of this many octets, which can be mapped to memory.
func bpfMap(size uint32) (fd int, err error) {
	attr := struct{ kind, key, value, entries, flags uint32 }{unix.BPF_MAP_TYPE_ARRAY, 4, size, 1, unix.BPF_F_MMAPABLE}
	return bpf(unix.BPF_MAP_CREATE, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
}

// bpfLoad loads an XDP program. The kernel reports what is wrong with it.
func bpfLoad(code []instruction) (fd int, report []byte, err error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	license := []byte("none\x00")
	report = make([]byte, 1<<16)
	attr := struct {
		kind, instructions uint32
		code, license      uint64
		level, size        uint32
		report             uint64
	}{
		unix.BPF_PROG_TYPE_XDP, uint32(len(code)), address(&pins, &code[0]), address(&pins, &license[0]),
		1, uint32(len(report)), address(&pins, &report[0]),
	}
	fd, err = bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	return fd, report, err
}

// bpfRun runs an XDP program with copies of a frame, which go where it wants, for as
// long as the kernel allows or until the thread has a signal, then syscall.EINTR.
func bpfRun(program int, frame []byte) error {
	var pins runtime.Pinner
	defer pins.Unpin()
	attr := struct {
		program, result         uint32
		size, sizeOut           uint32
		frame, frameOut         uint64
		repeat, duration        uint32
		contextIn, contextOut   uint32
		contextsIn, contextsOut uint64
		flags, processor        uint32
		batch, _                uint32
	}{
		program: uint32(program), size: uint32(len(frame)), frame: address(&pins, &frame[0]),
		repeat: 1<<31 - 1, flags: unix.BPF_F_TEST_XDP_LIVE_FRAMES,
	}
	_, err := bpf(unix.BPF_PROG_TEST_RUN, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	return err
}

// instruction is struct bpf_insn of linux/bpf.h.
type instruction struct {
	code      uint8
	registers uint8 // dst, and src in the upper half
	offset    int16
	immediate int32
}

// Operations on 64 bits, with a number; by makes them those with a register.
const (
	opAdd = 0x07
	opMul = 0x27
	opDiv = 0x37
	opAnd = 0x57
	opRsh = 0x77
	opMod = 0x97
	opXor = 0xa7
	opMov = 0xb7
)

// Jumps: the first two compare with a number, the third with a register.
const (
	jumpNotEqual = 0x55
	jumpAtLeast  = 0x35
	jumpAbove    = 0x2d
)

// Sizes of what is loaded and stored.
const (
	bits64 = 0x18
	bits32 = 0x00
	bits16 = 0x08
)

func with(op, dst uint8, v int) instruction { return instruction{op, dst, 0, int32(v)} }

func by(op, dst, src uint8) instruction { return instruction{op | 0x08, dst | src<<4, 0, 0} }

func load(size, dst, src uint8, at int16) instruction {
	return instruction{0x61 | size, dst | src<<4, at, 0}
}

func store(size, dst, src uint8, at int16) instruction {
	return instruction{0x63 | size, dst | src<<4, at, 0}
}

// bigEndian makes a register's lower bits big-endian.
func bigEndian(dst uint8, bits int32) instruction { return instruction{0xdc, dst, 0, bits} }

func call(helper int32) instruction { return instruction{0x85, 0, 0, helper} }

var exit = instruction{0x95, 0, 0, 0}
