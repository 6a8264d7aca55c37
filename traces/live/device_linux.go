package live

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"rtfm/traces"
)

// device is a network interface as it is at present.
type device struct {
	name     string
	index    int32 // ifIndex
	hatype   uint16
	link     traces.LinkType
	loopback bool
	up       bool
	port     bool      // of a bridge; only known where it is captured
	all      *devices  // it stands for these
	stamped  [8]uint64 // packets by the bits that tell who has stamped them
}

// lookUp returns the interface of this name in the network namespace of the
// socket fd.
func lookUp(fd int, name string) (device, error) {
	d := device{name: name}
	r, err := unix.NewIfreq(name)
	if err != nil {
		return d, fmt.Errorf("interface %q: %w", name, err)
	}
	for _, get := range []struct {
		request uint
		set     func()
	}{
		{unix.SIOCGIFINDEX, func() { d.index = int32(r.Uint32()) }},
		{unix.SIOCGIFHWADDR, func() { d.hatype = r.Uint16() }},
		{unix.SIOCGIFFLAGS, func() {
			d.loopback = r.Uint16()&unix.IFF_LOOPBACK != 0
			d.up = r.Uint16()&unix.IFF_UP != 0
		}},
	} {
		if err := unix.IoctlIfreq(fd, get.request, r); err != nil {
			return d, fmt.Errorf("interface %s: %w", name, err)
		}
		get.set()
	}
	d.link = linkOf(d.hatype)
	return d, nil
}

// linkOf returns how packets of a device of this ARPHRD type begin.
func linkOf(hatype uint16) traces.LinkType {
	switch hatype {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		return traces.LinkEthernet
	case unix.ARPHRD_NONE, unix.ARPHRD_RAWIP, unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT:
		return traces.LinkRaw
	}
	return traces.LinkLinuxSLL // the link header is taken off
}

// direction returns where a packet of this sll_pkttype goes. The loopback
// interface has both ends of all its packets; so has any other those of packets
// from one station to another, which a promiscuous interface sees. Only a bridge
// passes them on, so that at its ports they come in or go out.
func (d *device) direction(pkttype byte) traces.Direction {
	switch {
	case d.loopback || pkttype == unix.PACKET_OTHERHOST && !d.port:
		return traces.Passing
	case pkttype == unix.PACKET_OUTGOING:
		return traces.Outgoing
	}
	return traces.Incoming
}

// offloads are what a card or the kernel does with several packets as if they
// were one, by the name that ethtool has for it.
var offloads = []struct {
	name    string
	command uint32
	flag    uint32 // in the answer
}{
	{"gro", unix.ETHTOOL_GGRO, 1},
	{"lro", unix.ETHTOOL_GFLAGS, ethFlagLRO},
	{"gso", unix.ETHTOOL_GGSO, 1},
	{"tso", unix.ETHTOOL_GTSO, 1},
}

// ethFlagLRO is ETH_FLAG_LRO of linux/ethtool.h.
const ethFlagLRO = 1 << 15

// offloadsOf returns the names of the offloads that are on at an interface. One
// that the driver does not know is not.
func offloadsOf(fd int, name string) (on []string) {
	for _, o := range offloads {
		// struct ethtool_value and, with its address, struct ifreq.
		value := struct{ command, data uint32 }{command: o.command}
		request := struct {
			name  [unix.IFNAMSIZ]byte
			value unsafe.Pointer
			_     [24 - unsafe.Sizeof(uintptr(0))]byte
		}{value: unsafe.Pointer(&value)}
		copy(request.name[:unix.IFNAMSIZ-1], name)
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
		if errno == 0 && value.data&o.flag != 0 {
			on = append(on, o.name)
		}
	}
	return on
}
