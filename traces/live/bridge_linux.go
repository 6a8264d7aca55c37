package live

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// isPort reports whether the interface is a port of a bridge or of a switch, as
// far as the kernel tells.
func isPort(index int32) bool {
	kind := string(slaveKind(index))
	return kind == "bridge" || kind == "openvswitch"
}

// Lengths of the headers of rtnetlink (linux/netlink.h, linux/rtnetlink.h).
const (
	nlmsgHeader = unix.SizeofNlMsghdr
	ifinfomsg   = unix.SizeofIfInfomsg
	rtattr      = unix.SizeofRtAttr
)

// slaveKind returns what kind of interface the interface belongs to, nothing if
// it does not belong to any.
func slaveKind(index int32) []byte {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	ne := binary.NativeEndian
	var request [nlmsgHeader + ifinfomsg]byte
	ne.PutUint32(request[0:], uint32(len(request)))
	ne.PutUint16(request[4:], unix.RTM_GETLINK)
	ne.PutUint16(request[6:], unix.NLM_F_REQUEST)
	ne.PutUint32(request[nlmsgHeader+4:], uint32(index))
	if err := unix.Sendto(fd, request[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil
	}
	answer := make([]byte, 32<<10)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil || n < nlmsgHeader+ifinfomsg || ne.Uint16(answer[4:]) != unix.RTM_NEWLINK {
		return nil
	}
	info := attribute(answer[nlmsgHeader+ifinfomsg:n], unix.IFLA_LINKINFO)
	kind := attribute(info, unix.IFLA_INFO_SLAVE_KIND)
	return kind[:max(len(kind)-1, 0)] // it ends with a 0
}

// attribute returns the value of the attribute of a type, nothing if b does not
// have it.
func attribute(b []byte, typ uint16) []byte {
	for len(b) >= rtattr {
		n := int(binary.NativeEndian.Uint16(b))
		if n < rtattr || n > len(b) {
			break
		}
		if binary.NativeEndian.Uint16(b[2:])&^unix.NLA_F_NESTED == typ {
			return b[rtattr:n]
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return nil
}
