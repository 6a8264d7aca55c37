package main

import (
	"os"
	"sync"
)

// logFile is a log that can be opened again after it was renamed. It is safe
// for concurrent use.
type logFile struct {
	name string
	mu   sync.Mutex
	f    *os.File
}

func openLog(name string) (*logFile, error) {
	l := &logFile{name: name}
	return l, l.reopen()
}

// reopen opens the file of the log's name, to which all goes as soon as it is
// there. If that fails, the log goes on to the file that it had.
func (l *logFile) reopen() error {
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
	return nil
}

// chown gives the file to a user, who could not open it again otherwise.
func (l *logFile) chown(uid, gid int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Chown(uid, gid)
}

// Write implements io.Writer.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Write(p)
}
