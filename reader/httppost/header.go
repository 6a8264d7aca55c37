package httppost

import (
	"fmt"
	"net/http"
	"strings"
)

// ours are the fields of a request that are not for others to set.
var ours = map[string]bool{
	"Connection": true, "Content-Encoding": true, "Content-Length": true, "Content-Type": true, "Host": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// parseHeader reads lines of the form Name: value. Errors tell no values: these may be
// secrets.
func parseHeader(text string) (http.Header, error) {
	header := make(http.Header)
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case !ok || !isToken(name):
			return nil, fmt.Errorf("line %d: want Name: value", n)
		case !isFieldValue(value):
			return nil, fmt.Errorf("line %d: %s has a value with control characters", n, name)
		case ours[http.CanonicalHeaderKey(name)]:
			return nil, fmt.Errorf("line %d: %s is for the request to say", n, name)
		}
		header.Add(name, value)
	}
	return header, nil
}

// secrets returns what of a header nobody is to see: values, and what stands behind the
// first word of them, as that of Authorization.
func secrets(header http.Header) (all []string) {
	for _, values := range header {
		for _, v := range values {
			_, credentials, _ := strings.Cut(v, " ")
			all = append(all, v, credentials)
		}
	}
	return all
}

// isToken reports whether a name may be one of a field (RFC 9110 section 5.6.2).
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// isFieldValue reports whether a value may be that of a field (RFC 9110 section 5.5).
func isFieldValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
