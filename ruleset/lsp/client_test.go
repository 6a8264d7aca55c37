package lsp

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"testing"
)

// A client talks to a server over pipes, as an editor does.
type client struct {
	t        testing.TB
	out      *io.PipeWriter
	messages chan received // all that has come
	ended    chan error    // what Serve returned
	id       int
	shown    map[string]publishParams // the latest diagnostics, by URI
	sent     int                      // how many there have been
}

// received is any message of a server.
type received struct {
	ID     json.RawMessage
	Method string
	Params json.RawMessage
	Result json.RawMessage
	Error  *responseError
}

// start starts a server and initializes it.
func start(t testing.TB, opts Options) *client {
	c := startRaw(t, opts)
	c.ask("initialize", map[string]any{"capabilities": map[string]any{}})
	c.tell("initialized", map[string]any{})
	return c
}

func startRaw(t testing.TB, opts Options) *client {
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	c := &client{t: t, out: toServer, messages: make(chan received, 10_000), ended: make(chan error, 1), shown: map[string]publishParams{}}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		err := Serve(ctx, in, out, opts)
		in.Close()
		out.Close()
		c.ended <- err
	}()
	go func() {
		defer close(c.messages)
		r := bufio.NewReaderSize(fromServer, maxHeader)
		for {
			content, err := readFrame(r)
			if err != nil {
				return
			}
			var m received
			if err := json.Unmarshal(content, &m); err != nil {
				m.Method = fmt.Sprintf("not JSON: %v: %s", err, content)
			}
			c.messages <- m
		}
	}()
	t.Cleanup(func() {
		cancel()
		toServer.Close()
	})
	return c
}

// send sends a message as it is.
func (c *client) send(content []byte) {
	c.t.Helper()
	if err := writeFrame(c.out, content); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) tell(method string, params any) {
	c.t.Helper()
	content, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": method, "params": params})
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(content)
}

// ask returns the answer to a request.
func (c *client) ask(method string, params any) received {
	c.t.Helper()
	c.id++
	content, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": c.id, "method": method, "params": params})
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(content)
	return c.answer(fmt.Sprint(c.id))
}

// answer waits for the answer to the request of this ID.
func (c *client) answer(id string) received {
	c.t.Helper()
	for m := range c.messages {
		if m.Method == "" && string(m.ID) == id {
			return m
		}
		c.note(m)
	}
	c.t.Fatalf("the server ended before it answered request %s", id)
	return received{}
}

// note keeps diagnostics.
func (c *client) note(m received) {
	c.t.Helper()
	if m.Method != "textDocument/publishDiagnostics" {
		c.t.Fatalf("unexpected message %+v", m)
	}
	var p publishParams
	if err := json.Unmarshal(m.Params, &p); err != nil {
		c.t.Fatal(err)
	}
	c.shown[p.URI] = p
	c.sent++
}

// wait waits for diagnostics that satisfy a condition.
func (c *client) wait(uri string, ok func(publishParams) bool) publishParams {
	c.t.Helper()
	for {
		if p, is := c.shown[uri]; is && ok(p) {
			return p
		}
		m, open := <-c.messages
		if !open {
			c.t.Fatal("the server has ended")
		}
		c.note(m)
	}
}

// diagnostics waits for those of a version of a document.
func (c *client) diagnostics(uri string, version int) publishParams {
	c.t.Helper()
	return c.wait(uri, func(p publishParams) bool { return p.Version != nil && *p.Version >= version })
}

func (c *client) openText(uri, text string) {
	c.t.Helper()
	delete(c.shown, uri)
	c.tell("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri, "languageId": "srl", "version": 1, "text": text}})
}
