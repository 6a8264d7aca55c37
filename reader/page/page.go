// Package page shows live views in a browser: a server for this machine's users, and
// the page, which comes from the program alone. It reads histories, and packets of flows
// where there is a store of them, and changes nothing.
//
// Who may see it knows the token, 128 bits that stand in the fragment of the address,
// which browsers keep to themselves. The page gives it back for a cookie. Requests for
// another host's name are refused, so that no name can be rebound to this server, and
// so are those that pages of others make.
//
// What others can make it do is bounded: connections, viewers, the time that a request
// takes to come and an answer to go, what waits for a viewer, and packets, for one viewer
// at a time.
package page

import (
	"crypto/tls"
	"embed"
	"encoding/json"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"rtfm/reader/live"
)

//go:embed assets
var assets embed.FS

// MostStreams is how many viewers there may be at a time.
const MostStreams = 16

// Source is a meter that the page shows.
type Source struct {
	Name    string
	History *live.History
}

// Config says what a Page shows and to whom.
type Config struct {
	Sources []Source
	// Token is what viewers have to know, see NewToken.
	Token string
	// Hosts are names by which browsers may ask for the page, beside localhost and
	// addresses.
	Hosts []string
	// Packets, unless it is nil, gets packets of a flow that is shown.
	Packets PacketsOf
	// TLS has the certificate that it is served with, nil for none.
	TLS *tls.Config
}

// Page is an http.Handler.
type Page struct {
	cfg      Config
	session  string // the cookie's value
	place    string // the path below which the cookie is sent
	run      string // what the ids of this Page's events begin with
	streams  atomic.Int64
	cut      atomic.Uint64
	fetching sync.Mutex // held while packets are looked for
	mux      *http.ServeMux
	inTime   time.Duration
	patience time.Duration
	penalty  time.Duration
}

// New returns a Page.
func New(c Config) *Page {
	p := &Page{
		cfg: c, session: NewToken(), place: NewToken(), run: NewToken()[:8], mux: http.NewServeMux(),
		inTime: inTime, patience: patience, penalty: penalty,
	}
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err)
	}
	p.mux.HandleFunc("GET /{$}", p.file(files, "page.html"))
	names, err := fs.ReadDir(files, ".")
	if err != nil {
		panic(err)
	}
	for _, f := range names {
		p.mux.HandleFunc("GET /"+f.Name(), p.file(files, f.Name()))
	}
	p.mux.HandleFunc("POST /session", p.login)
	p.mux.HandleFunc("GET /{place}/sources", p.private(p.sources))
	p.mux.HandleFunc("GET /{place}/offers", p.private(p.offers))
	p.mux.HandleFunc("GET /{place}/packets", p.private(p.packets))
	p.mux.HandleFunc("GET /{place}/events/{source}", p.private(p.events))
	return p
}

// Streams returns how many viewers there are, and Cut how many were too slow so far.
func (p *Page) Streams() int { return int(p.streams.Load()) }
func (p *Page) Cut() uint64  { return p.cut.Load() }

// file serves one of the page's files.
func (p *Page) file(files fs.FS, name string) http.HandlerFunc {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		panic(err)
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if path.Ext(name) == ".js" {
		kind = "text/javascript; charset=utf-8" // whatever the system says
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Write(text)
	}
}

// sources tells the names of what there is to see.
func (p *Page) sources(w http.ResponseWriter, _ *http.Request) {
	names := make([]string, 0, len(p.cfg.Sources))
	for _, s := range p.cfg.Sources {
		names = append(names, s.Name)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(names)
}
