// Package page shows live views in a browser: a server for this machine's users, and
// the page, which comes from the program alone. It reads histories, and changes nothing.
//
// Who may see it knows the token, 128 bits that stand in the fragment of the address,
// which browsers keep to themselves. The page gives it back for a cookie. Requests for
// another host's name are refused, so that no name can be rebound to this server, and
// so are those that pages of others make.
package page

import (
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
	"sync/atomic"

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
	// Secure tells that it is served with TLS.
	Secure bool
}

// Page is an http.Handler.
type Page struct {
	cfg     Config
	session string // the cookie's value
	streams atomic.Int64
	cut     atomic.Uint64
	mux     *http.ServeMux
}

// NewToken returns 128 random bits in hexadecimal.
func NewToken() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// New returns a Page.
func New(c Config) *Page {
	p := &Page{cfg: c, session: NewToken(), mux: http.NewServeMux()}
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
	p.mux.HandleFunc("GET /sources", p.private(p.sources))
	p.mux.HandleFunc("GET /events/{source}", p.private(p.events))
	return p
}

// Streams returns how many viewers there are, and Cut how many were too slow so far.
func (p *Page) Streams() int { return int(p.streams.Load()) }
func (p *Page) Cut() uint64  { return p.cut.Load() }

// policy lets the page load and ask for nothing but what this server has.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// ServeHTTP implements http.Handler.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	switch {
	case !p.isOurs(r.Host):
		http.Error(w, "this name is not one of this server's: ask for its address, or start it with --name", http.StatusMisdirectedRequest)
	case !p.sameOrigin(r):
		http.Error(w, "a page of another origin asks", http.StatusForbidden)
	default:
		p.mux.ServeHTTP(w, r)
	}
}

// isOurs reports whether a request for this host is for this server: it is an address,
// which nobody can have resolved to another one, or a name that was given.
func (p *Page) isOurs(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return strings.EqualFold(name, "localhost") || slices.ContainsFunc(p.cfg.Hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// sameOrigin reports whether the page itself asks, or a person: what browsers tell of
// others' requests is refused.
func (p *Page) sameOrigin(r *http.Request) bool {
	scheme := "http://"
	if p.cfg.Secure {
		scheme = "https://"
	}
	if origin := r.Header.Get("Origin"); origin != "" && !strings.EqualFold(origin, scheme+r.Host) {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	}
	return r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate" // a link: it shows nothing yet
}

// file serves one of the page's files.
func (p *Page) file(files fs.FS, name string) http.HandlerFunc {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		panic(err)
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if path.Ext(name) == ".js" {
		kind = "text/javascript; charset=utf-8"
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Write(text)
	}
}

// cookie is the name of the cookie, one for each port since browsers do not tell them
// apart.
func (p *Page) cookie(r *http.Request) string {
	_, port, _ := net.SplitHostPort(r.Host)
	return "rtfm" + port
}

// login gives the cookie for the token.
func (p *Page) login(w http.ResponseWriter, r *http.Request) {
	token, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256))
	if err != nil || subtle.ConstantTimeCompare(token, []byte(p.cfg.Token)) != 1 {
		http.Error(w, "the token is another", http.StatusForbidden)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: p.cookie(r), Value: p.session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: p.cfg.Secure,
	})
	w.WriteHeader(http.StatusNoContent)
}

// private serves only those who have the cookie.
func (p *Page) private(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(p.cookie(r))
		if err != nil || subtle.ConstantTimeCompare([]byte(c.Value), []byte(p.session)) != 1 {
			http.Error(w, "open the address that rtfm has printed, with its token", http.StatusUnauthorized)
			return
		}
		serve(w, r)
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
