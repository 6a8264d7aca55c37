package lsp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"
)

// Options say how a server reads programs.
type Options struct {
	// Strict refuses what RFC 2723 does not have.
	Strict bool
	// Version is the server's, as clients show it.
	Version string
	// Quiet is how long nothing must have been typed before whole programs are
	// checked, if they are so long that they were checked without parts of them.
	Quiet time.Duration
	// Cover reads traces; nil if there are none.
	Cover CoverFunc
}

// DefaultQuiet is a pause of someone who types.
const DefaultQuiet = 300 * time.Millisecond

// Server answers one client.
type server struct {
	opts Options
	out  io.Writer

	open   []*document          // in the order in which they were opened
	byPath map[string]*document // likewise
	files  map[string]*onDisk   // others, by path

	due     []string // paths of programs to be checked
	whole   []string // likewise, with all their values, once nothing happens
	calm    bool     // nothing has happened for long enough
	timer   *time.Timer
	running map[bool]bool // a check is: of a whole program, or not
	results chan *check
	changes int // of documents

	found map[string][]finding    // by the path of the program
	quick map[string][]finding    // what the last check of parts found, likewise
	mends map[string]*check       // the last check, likewise
	shown map[string][]diagnostic // what the client has, by the path of the file

	covering  bool // a trace is being read
	covered   chan covering
	coverage  *covering // the last one, nil if there was none
	refreshes bool      // the client asks for lenses again if it is told to

	initialized, ending bool
}

// ErrNoShutdown says that the client left without a shutdown request.
var ErrNoShutdown = errors.New("the client has left without a shutdown request")

// errExit says that the client has left.
var errExit = errors.New("exit")

// Serve answers the client whose messages come from in until it leaves, the input
// ends or ctx is done. Errors are those of reading, of writing, and of input in
// which no messages can be found.
func Serve(ctx context.Context, in io.Reader, out io.Writer, opts Options) error {
	s := &server{
		opts: opts, out: out,
		byPath: map[string]*document{}, files: map[string]*onDisk{},
		timer: time.NewTimer(time.Hour), running: map[bool]bool{}, results: make(chan *check, 2), covered: make(chan covering, 1),
		found: map[string][]finding{}, quick: map[string][]finding{}, mends: map[string]*check{}, shown: map[string][]diagnostic{},
	}
	defer s.timer.Stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages := make(chan incoming)
	go receive(ctx, in, messages)
	for {
		err := s.step(ctx, messages)
		switch {
		case err == errExit && !s.ending:
			return ErrNoShutdown
		case err == errExit, err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		s.next()
	}
}

// incoming is a message, or why there are no more.
type incoming struct {
	content []byte
	err     error
}

// receive reads messages until there are no more.
func receive(ctx context.Context, in io.Reader, to chan<- incoming) {
	r := bufio.NewReaderSize(in, maxHeader)
	for {
		content, err := readFrame(r)
		select {
		case to <- incoming{content, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// step does one thing that has happened.
func (s *server) step(ctx context.Context, messages <-chan incoming) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case m := <-messages:
		if m.err != nil {
			return m.err
		}
		return s.message(m.content)
	case c := <-s.results:
		s.running[c.whole] = false
		return s.take(c)
	case c := <-s.covered:
		return s.lensesOf(c)
	case <-s.timer.C:
		s.calm = true
		return nil
	}
}

// message does what the client wants.
func (s *server) message(content []byte) error {
	var r request
	if err := json.Unmarshal(content, &r); err != nil {
		return s.refuse(json.RawMessage("null"), &responseError{parseError, "no JSON-RPC message: " + err.Error()})
	}
	if r.Method == "" && r.ID != nil {
		return nil // an answer, of which none was asked for
	}
	if r.ID == nil {
		return s.notified(&r)
	}
	if r.Method == "workspace/executeCommand" && s.initialized && !s.ending {
		if err := s.execute(&r); err != nil {
			return s.refuse(r.ID, err)
		}
		return nil
	}
	result, err := s.asked(&r)
	if err != nil {
		return s.refuse(r.ID, err)
	}
	return s.send(response{"2.0", r.ID, result})
}

// asked answers a request.
func (s *server) asked(r *request) (any, *responseError) {
	switch {
	case r.Method == "":
		return nil, &responseError{invalidRequest, "a request has a method"}
	case r.Method == "initialize":
		s.initialize(r.Params)
		return s.capabilities(), nil
	case !s.initialized:
		return nil, &responseError{serverNotInitialized, "initialize comes first"}
	case s.ending:
		return nil, &responseError{invalidRequest, "the server has been shut down"}
	case r.Method == "shutdown":
		s.ending = true
		return nil, nil
	}
	answer := s.answers()[r.Method]
	if answer == nil {
		return nil, &responseError{methodNotFound, "no method " + r.Method}
	}
	var p documentParams
	if err := json.Unmarshal(r.Params, &p); err != nil {
		return nil, &responseError{invalidParams, r.Method + ": " + err.Error()}
	}
	d := s.byPath[pathOf(p.TextDocument.URI)]
	if d == nil {
		return nil, &responseError{invalidParams, "not open: " + p.TextDocument.URI}
	}
	result, err := answer(d, &p)
	if err != nil {
		return nil, &responseError{requestFailed, err.Error()}
	}
	return result, nil
}

// answers are what can be asked for a document.
func (s *server) answers() map[string]func(*document, *documentParams) (any, error) {
	return map[string]func(*document, *documentParams) (any, error){
		"textDocument/hover":             s.hover,
		"textDocument/completion":        s.completion,
		"textDocument/definition":        s.definition,
		"textDocument/references":        s.references,
		"textDocument/documentHighlight": s.highlights,
		"textDocument/prepareRename":     s.prepareRename,
		"textDocument/rename":            s.rename,
		"textDocument/documentSymbol":    s.symbols,
		"textDocument/codeAction":        s.actions,
		"textDocument/formatting":        s.format,
		"textDocument/codeLens":          s.lenses,
	}
}

// initialize notes what the client can do.
func (s *server) initialize(params json.RawMessage) {
	var p struct {
		Capabilities struct {
			Workspace struct {
				CodeLens struct {
					RefreshSupport bool `json:"refreshSupport"`
				} `json:"codeLens"`
			} `json:"workspace"`
		} `json:"capabilities"`
	}
	_ = json.Unmarshal(params, &p) // one that tells nothing can do nothing
	s.refreshes = p.Capabilities.Workspace.CodeLens.RefreshSupport
	s.initialized = true
}

// capabilities tells the client what can be asked.
func (s *server) capabilities() any {
	type object = map[string]any
	return object{
		"serverInfo": object{"name": "rtfm srl lsp", "version": s.opts.Version},
		"capabilities": object{
			"positionEncoding":           "utf-16",
			"textDocumentSync":           object{"openClose": true, "change": 2, "save": object{}},
			"hoverProvider":              true,
			"completionProvider":         object{"triggerCharacters": []string{"=", "(", "\"", "/"}},
			"definitionProvider":         true,
			"referencesProvider":         true,
			"documentHighlightProvider":  true,
			"renameProvider":             object{"prepareProvider": true},
			"documentSymbolProvider":     true,
			"documentFormattingProvider": true,
			"codeLensProvider":           object{},
			"executeCommandProvider":     object{"commands": []string{coverCommand}},
			"codeActionProvider":         object{"codeActionKinds": []string{"quickfix"}},
		},
	}
}

// notified does what a notification tells.
func (s *server) notified(r *request) error {
	if r.Method == "exit" {
		return errExit
	}
	if !s.initialized || s.ending {
		return nil
	}
	var p changeParams
	switch r.Method {
	case "textDocument/didOpen", "textDocument/didChange", "textDocument/didClose":
		if err := json.Unmarshal(r.Params, &p); err != nil || p.TextDocument.URI == "" {
			return nil // there is nobody to tell
		}
	}
	path := pathOf(p.TextDocument.URI)
	d := s.byPath[path]
	switch r.Method {
	case "textDocument/didOpen":
		if d == nil {
			d = &document{source: &source{uri: p.TextDocument.URI, path: path}}
			s.open = append(s.open, d)
			s.byPath[path] = d
		}
		d.version = p.TextDocument.Version
		d.set(p.TextDocument.Text)
		s.touch(d, 0)
	case "textDocument/didChange":
		if d == nil {
			return nil
		}
		d.version = p.TextDocument.Version
		s.change(d, p.ContentChanges)
		s.touch(d, s.opts.Quiet)
	case "textDocument/didClose":
		if d == nil {
			return nil
		}
		s.open = slices.DeleteFunc(s.open, func(o *document) bool { return o == d })
		delete(s.byPath, path)
		s.touch(nil, 0)
		return s.publish(path)
	case "textDocument/didSave", "workspace/didChangeWatchedFiles":
		s.touch(nil, 0)
	}
	return nil
}

// send sends a message.
func (s *server) send(m any) error {
	content, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return writeFrame(s.out, content)
}

func (s *server) refuse(id json.RawMessage, why *responseError) error {
	return s.send(failure{"2.0", id, why})
}

func (s *server) notify(method string, params any) error {
	return s.send(notification{"2.0", method, params})
}
