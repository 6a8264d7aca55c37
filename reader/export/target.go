package export

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"rtfm/ruleset/spell"
)

// Target is where collections go, as a URL tells it:
//
//	SCHEME://[USER@]HOST[:PORT][,HOST...]/PATH?OPTION=VALUE&...
//	SCHEME:PATH?OPTION=VALUE&...
type Target struct {
	Scheme  string
	User    string
	Hosts   []string // each with its port, if one was given
	Path    string   // without the slash after the hosts
	Options map[string]string
	text    string
}

// Scheme is a kind of place.
type Scheme struct {
	Name string
	// Hosts is set if its URLs have hosts; else they have a path only. Paths is set if
	// they may have either. Port is that of hosts which tell none.
	Hosts, Paths bool
	Port         string
	// Missing is set if this rtfm was built without it.
	Missing bool
	// Options are the names of those that its URLs may have.
	Options []string
	// New makes the Exporter. It reaches for nothing yet.
	New func(*Target) (Exporter, error)
}

// Names returns the names of the schemes that this rtfm has.
func Names(schemes []Scheme) (names []string) {
	for _, s := range schemes {
		if !s.Missing {
			names = append(names, s.Name)
		}
	}
	return names
}

// String returns the URL, which never has a password.
func (t *Target) String() string { return t.text }

// Parse reads a URL of one of the schemes.
func Parse(text string, schemes []Scheme) (*Target, *Scheme, error) {
	fail := func(format string, args ...any) (*Target, *Scheme, error) {
		return nil, nil, fmt.Errorf("%s: %s", redact(text), fmt.Sprintf(format, args...))
	}
	name, rest, ok := strings.Cut(text, ":")
	i := slices.IndexFunc(schemes, func(s Scheme) bool { return s.Name == name })
	if !ok || i < 0 {
		names := Names(schemes)
		if !ok {
			return fail("want SCHEME:..., where SCHEME is one of %s", strings.Join(names, ", "))
		}
		return fail("there is no %s%s (known are %s)", name, hint(name, names), strings.Join(names, ", "))
	}
	s := &schemes[i]
	if s.Missing {
		return fail("this rtfm was built without %s (-tags small)", name)
	}
	t := &Target{Scheme: name, Options: make(map[string]string), text: text}
	rest, query, _ := strings.Cut(rest, "?")
	if hosts, has := strings.CutPrefix(rest, "//"); has && s.Hosts {
		if hasPassword(text) {
			return fail(noPassword)
		}
		hosts, t.Path, _ = strings.Cut(hosts, "/")
		if user, after, has := strings.Cut(hosts, "@"); has {
			t.User, hosts = user, after
		}
		for _, h := range strings.Split(hosts, ",") {
			if h == "" {
				return fail("want a host behind //, or between commas")
			}
			t.Hosts = append(t.Hosts, withPort(h, s.Port))
		}
	} else if s.Hosts && !s.Paths {
		return fail("want %s://HOST...", name)
	} else {
		t.Path = rest
	}
	for _, pair := range strings.Split(query, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		if !slices.Contains(s.Options, key) {
			if key == "password" {
				return fail(noPassword)
			}
			return fail("%s: no such option%s (%s has %s)", key, hint(key, s.Options), name, cmp.Or(strings.Join(s.Options, ", "), "none"))
		}
		if t.Has(key) {
			return fail("%s is given twice", key)
		}
		plain, err := url.QueryUnescape(value)
		if err != nil {
			return fail("%s: %v", key, err)
		}
		t.Options[key] = plain
	}
	return t, s, nil
}

// withPort returns a host with a port.
func withPort(host, port string) string {
	if port == "" || strings.Contains(host[strings.LastIndexByte(host, ']')+1:], ":") {
		return host
	}
	return host + ":" + port
}

// Choice returns the value of an option, one of those, or the first if it is not given.
func (t *Target) Choice(option string, values ...string) (string, error) {
	v, ok := t.Options[option]
	if !ok {
		return values[0], nil
	}
	if !slices.Contains(values, v) {
		return "", fmt.Errorf("%s: %s=%s: want one of %s", t, option, v, strings.Join(values, ", "))
	}
	return v, nil
}

// Duration returns the value of an option, such as 60s, or another if it is not given.
func (t *Target) Duration(option string, otherwise time.Duration) (time.Duration, error) {
	v, ok := t.Options[option]
	if !ok {
		return otherwise, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s: %s=%s: want a time such as 60s", t, option, v)
	}
	return d, nil
}

// Number returns the value of an option, a number from least to most, or another if it is
// not given.
func (t *Target) Number(option string, otherwise, least, most int) (int, error) {
	v, ok := t.Options[option]
	if !ok {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s: %s=%s: want a number from %d to %d", t, option, v, least, most)
	}
	return n, nil
}

// Has reports whether an option is given, as ?tls.
func (t *Target) Has(option string) bool { _, ok := t.Options[option]; return ok }

// OutletName returns a name for the outlet of the target: the same for the same place.
func (t *Target) OutletName() string {
	name := []byte(t.Scheme)
	for _, c := range []byte(strings.Join(t.Hosts, "_") + "_" + t.Path) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-':
			name = append(name, c)
		default:
			name = append(name, '_')
		}
	}
	return fmt.Sprintf("%.80s-%08x", name, t.hash())
}

// hash tells targets from each other whose names are alike.
func (t *Target) hash() uint32 {
	h := uint32(2166136261)
	for _, part := range append([]string{t.Scheme, t.User, t.Path}, append(t.Hosts, t.options()...)...) {
		for _, c := range []byte(part) {
			h = (h ^ uint32(c)) * 16777619
		}
		h = (h ^ 256) * 16777619
	}
	return h
}

func (t *Target) options() (all []string) {
	for _, key := range slices.Sorted(maps.Keys(t.Options)) {
		all = append(all, key+"="+t.Options[key])
	}
	return all
}

// hint returns what may have been meant by a name.
func hint(name string, among []string) string {
	if near, ok := spell.Nearest(name, among); ok {
		return "; did you mean " + near + "?"
	}
	return ""
}
