package cmd

import (
	"strings"
	"sync"

	"rtfm/reader/live"
)

// notices tells in a view what is worth knowing. Any goroutine may use it.
type notices struct {
	mu   sync.Mutex
	text string
	to   *live.History // nil before there is one
}

// note tells it, or remembers it until there is somebody to be told.
func (n *notices) note(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text = text
	if n.to != nil {
		n.to.Note(text)
	}
}

// tell has those that come told to a history, and what came before.
func (n *notices) tell(to *live.History) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.to = to; n.text != "" {
		to.Note(n.text)
	}
}

// latest returns what was told last.
func (n *notices) latest() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text
}

// Write implements io.Writer; b is a line for people.
func (n *notices) Write(b []byte) (int, error) {
	n.note(strings.TrimPrefix(strings.TrimSpace(string(b)), "rtfm: "))
	return len(b), nil
}
