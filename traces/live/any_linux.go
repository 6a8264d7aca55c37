package live

import (
	"bytes"
	"math"
	"unsafe"

	"golang.org/x/sys/unix"

	"rtfm/traces"
)

// devices are the interfaces that a ring for all of them has seen.
type devices struct {
	last  *device // that of the packet before
	seen  map[int32]*device
	found func(d *device) // told of each new one
}

// of returns the device with this index and ARPHRD type.
func (ds *devices) of(index int32, hatype uint16) *device {
	if d := ds.last; d != nil && d.index == index && d.hatype == hatype {
		return d
	}
	d := ds.seen[index]
	if d == nil || d.hatype != hatype {
		if len(ds.seen) >= maxDevices {
			clear(ds.seen)
		}
		d = &device{index: index, hatype: hatype, link: linkOf(hatype), loopback: hatype == unix.ARPHRD_LOOPBACK}
		d.port = isPort(index)
		ds.seen[index] = d
		ds.found(d)
	}
	ds.last = d
	return d
}

// maxDevices is how many interfaces are remembered. Where containers come and go
// each has an index that was never used before.
const maxDevices = 4096

// allNumber stands for the ifIndex of all interfaces, to count losses under that
// nobody knows the interface of. No interface has it.
const allNumber = math.MaxInt32

// all returns a device that stands for all interfaces: packets have their link
// headers.
func (s *source) all() device {
	return device{name: All, up: true, link: traces.LinkEthernet, all: &devices{
		seen: make(map[int32]*device),
		found: func(d *device) {
			if d.name = nameOf(s.control, d.index); d.name == "" {
				return // it is gone
			}
			if len(s.stats.PerInterface) < maxDevices {
				s.place(uint32(d.index), d.name)
			}
			if !d.loopback {
				s.warnOffloads(s.control, d.name)
			}
		},
	}}
}

// nameOf returns the name of the interface with this index, "" if it is gone.
func nameOf(fd int, index int32) string {
	var request struct { // ifreq
		name  [unix.IFNAMSIZ]byte
		index int32
		_     [20]byte
	}
	request.index = index
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCGIFNAME, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return ""
	}
	name, _, _ := bytes.Cut(request.name[:], []byte{0})
	return string(name)
}

// incomingAtLoopback is the beginning of a filter that refuses what goes out at
// loopback interfaces, since it comes in again.
func incomingAtLoopback() []unix.SockFilter {
	// SKF_AD_OFF and what is there, of linux/filter.h.
	const pktType, hatype = 0xfffff000 + 4, 0xfffff000 + 28
	return []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: hatype},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.ARPHRD_LOOPBACK, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: pktType},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.PACKET_OUTGOING, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
}
