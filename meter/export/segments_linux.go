package export

import (
	"encoding/binary"
	"errors"
	"slices"
	"syscall"
	"unsafe"
)

const (
	canSegment = true
	udpSegment = 103 // UDP_SEGMENT of linux/udp.h
)

// segments returns the control message that has the kernel cut what is sent into datagrams
// of so many octets.
func segments(size int) []byte {
	b := make([]byte, syscall.CmsgSpace(2))
	h := (*syscall.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = syscall.IPPROTO_UDP, udpSegment
	h.SetLen(syscall.CmsgLen(2))
	binary.NativeEndian.PutUint16(b[syscall.CmsgLen(0):], uint16(size))
	return b
}

// cannotSegment reports whether an error may be one of cutting: of a kernel or interface
// that cannot, or of datagrams that do not fit the path.
func cannotSegment(err error) bool {
	return slices.ContainsFunc([]error{syscall.EINVAL, syscall.EIO, syscall.EMSGSIZE, syscall.ENOPROTOOPT, syscall.EOPNOTSUPP},
		func(of error) bool { return errors.Is(err, of) })
}
