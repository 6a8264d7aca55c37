package page

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

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
	case r.Method == http.MethodGet && r.ContentLength != 0:
		// While a body may come, nobody would notice that the viewer has gone.
		http.Error(w, "a request to read has no body", http.StatusBadRequest)
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		h.Set("Allow", "GET, POST")
		http.Error(w, "there is nothing but to read", http.StatusMethodNotAllowed)
	default:
		p.mux.ServeHTTP(w, r)
	}
}

// isOurs reports whether a request for this host is for this server: it is an address,
// which nobody can have resolved to another one, or a name that was given. The port may
// be another one: that of a tunnel to this machine.
func (p *Page) isOurs(host string) bool {
	if at, err := netip.ParseAddrPort(host); err == nil {
		return at.Addr().Zone() == "" // browsers ask for none
	}
	if in, ok := strings.CutPrefix(host, "["); ok {
		in, ok = strings.CutSuffix(in, "]")
		ip, err := netip.ParseAddr(in)
		return ok && err == nil && ip.Is6() && ip.Zone() == ""
	}
	name, port, _ := strings.Cut(host, ":")
	if strings.Trim(port, "0123456789") != "" {
		return false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	same := func(h string) bool { return strings.EqualFold(h, name) }
	return same("localhost") || slices.ContainsFunc(p.cfg.Hosts, same)
}

// sameOrigin reports whether the page itself asks, or a person: what browsers tell of
// others' requests is refused.
func (p *Page) sameOrigin(r *http.Request) bool {
	scheme := "http://"
	if p.cfg.TLS != nil {
		scheme = "https://"
	}
	for _, origin := range r.Header.Values("Origin") {
		if !strings.EqualFold(origin, scheme+r.Host) {
			return false
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	}
	return r.Method == http.MethodGet && r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate" // a link: it shows nothing yet
}
