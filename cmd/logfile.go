package cmd

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
)

// logFile is a log that can be opened again after it was renamed. It is safe
// for concurrent use. A nil one stands for a log that is no file.
type logFile struct {
	name   string
	mu     sync.Mutex
	f      *os.File     // nil before it is opened first
	before bytes.Buffer // what came before that
}

// newLog returns a log of what is of this level and above, in the file of this name,
// which has to be opened with reopen, or without a name in stderr.
func newLog(name string, stderr io.Writer, level slog.Level) (*slog.Logger, *logFile) {
	to, file := stderr, (*logFile)(nil)
	if name != "" {
		file = &logFile{name: name}
		to = file
	}
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: level})), file
}

// reopen opens the file of the log's name, to which all goes as soon as it is
// there. If that fails, the log goes on to the file that it had.
//
// The file is opened with the rights that the process has then, and never given
// to another user: whoever may rename it may have put a link to any file in its
// place.
func (l *logFile) reopen() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := os.OpenFile(l.name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	if l.f != nil {
		l.f.Close()
	}
	l.f = f
	_, err = l.before.WriteTo(f)
	return err
}

// giveUp writes to w what came before the log was opened, if it never was.
func (l *logFile) giveUp(w io.Writer) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.before.WriteTo(w)
	return err
}

// Write implements io.Writer.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		return l.f.Write(p)
	}
	const most = 1 << 20
	if l.before.Len()+len(p) > most {
		return 0, errors.New("too much for a log that is not open yet")
	}
	return l.before.Write(p)
}

// again opens the log again, and tells it if that fails.
func (l *logFile) again(log *slog.Logger) {
	if err := l.reopen(); err != nil {
		log.Error("log not opened again", "error", err)
	}
}
