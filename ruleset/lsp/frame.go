package lsp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// What a client may send at most.
const (
	maxMessage = 128 << 20 // octets of one message
	maxHeader  = 4096      // octets of its header
)

// errFrame is wrapped by errors behind which no further message can be found.
var errFrame = errors.New("not a message of the Language Server Protocol")

// readFrame reads the content of a message behind its header. Memory is taken as
// the content comes, not as the header says. It returns io.EOF if there are no
// more.
func readFrame(r *bufio.Reader) ([]byte, error) {
	length, size := -1, 0
	for {
		line, err := r.ReadSlice('\n')
		size += len(line)
		switch {
		case err == io.EOF && size == 0:
			return nil, io.EOF
		case err == io.EOF:
			return nil, io.ErrUnexpectedEOF
		case err == bufio.ErrBufferFull, size > maxHeader:
			return nil, fmt.Errorf("%w: its header has more than %d octets", errFrame, maxHeader)
		case err != nil:
			return nil, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		name, value, is := strings.Cut(text, ":")
		if !is {
			return nil, fmt.Errorf("%w: header %q", errFrame, text)
		}
		if !strings.EqualFold(strings.TrimSpace(name), "Content-Length") {
			continue
		}
		length, err = strconv.Atoi(strings.TrimSpace(value))
		if err != nil || length < 0 || length > maxMessage {
			return nil, fmt.Errorf("%w: Content-Length %q is no number up to %d", errFrame, strings.TrimSpace(value), maxMessage)
		}
	}
	if length < 0 {
		return nil, fmt.Errorf("%w: no Content-Length", errFrame)
	}
	var content bytes.Buffer
	content.Grow(min(length, 1<<20) + bytes.MinRead)
	n, err := content.ReadFrom(io.LimitReader(r, int64(length)))
	if err == nil && n < int64(length) {
		err = io.ErrUnexpectedEOF
	}
	return content.Bytes(), err
}

// writeFrame writes a message with its header.
func writeFrame(w io.Writer, content []byte) error {
	framed := append(fmt.Appendf(nil, "Content-Length: %d\r\n\r\n", len(content)), content...)
	_, err := w.Write(framed)
	return err
}
