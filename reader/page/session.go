package page

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"io"
	"net/http"
	"time"
)

const (
	// penalty is how long who gives a wrong token waits for the answer. Nobody else
	// waits, whoever guesses: it is the token's length that keeps them out.
	penalty = time.Second
	// cookieName is the same for all; their paths tell them apart.
	cookieName = "rtfm"
)

// NewToken returns 128 random bits in hexadecimal.
func NewToken() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// same compares what must not be told by how long that takes.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// login gives the cookie for the token, and tells the path below which it holds.
//
// Browsers send a cookie to all servers of a host, whatever their port, so also to one
// that another user of this machine has set up. They send it only below its path, which
// is as hard to guess as the token.
func (p *Page) login(w http.ResponseWriter, r *http.Request) {
	token, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256))
	if err != nil || !same(string(token), p.cfg.Token) {
		late := time.NewTimer(p.penalty)
		defer late.Stop()
		select {
		case <-late.C:
		case <-r.Context().Done():
		}
		http.Error(w, "the token is another", http.StatusForbidden)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: p.session, Path: "/" + p.place + "/",
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: p.cfg.TLS != nil,
	})
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, p.place)
}

// private serves only those who have the cookie.
func (p *Page) private(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(cookieName)
		if err != nil || !same(c.Value, p.session) || !same(r.PathValue("place"), p.place) {
			http.Error(w, "open the address that rtfm has printed, with its token", http.StatusUnauthorized)
			return
		}
		serve(w, r)
	}
}
