package ipfixsink

import (
	"net"
	"syscall"
	"unsafe"
)

// unacknowledged returns how many octets of those that were written to a connection the
// other side's system has not acknowledged (tcp(7), SIOCOUTQ).
func unacknowledged(c *net.TCPConn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var left int32
	var errno syscall.Errno
	err = raw.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&left)))
	})
	if err == nil && errno != 0 {
		err = errno
	}
	return int(left), err
}
