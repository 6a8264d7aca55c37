package export

import (
	"os"
	"strings"
)

// noPassword is why a URL with a password is refused.
const noPassword = "a password in an address is seen by others on this machine; use ?password-file=FILE"

// hasPassword reports whether a URL has what may be a password: a colon with an @ behind
// it, of whatever characters between.
func hasPassword(text string) bool {
	before, _ := userinfo(text)
	return strings.Contains(before, ":")
}

// userinfo returns what stands between the // of a URL and the last @ of what may be part
// of that: anything up to an option that has one.
func userinfo(text string) (before, after string) {
	_, rest, _ := strings.Cut(text, "//")
	end := len(rest)
	if path, query, ok := strings.Cut(rest, "?"); ok && strings.Contains(query, "=") {
		if key, _, _ := strings.Cut(query, "="); !strings.Contains(key, "@") {
			end = len(path)
		}
	}
	at := strings.LastIndexByte(rest[:end], '@')
	if at < 0 {
		return "", rest
	}
	return rest[:at], rest[at+1:]
}

// redact takes what may be a secret out of a URL: a password, and options' values.
func redact(text string) string {
	if scheme, _, ok := strings.Cut(text, "//"); ok {
		if before, after := userinfo(text); strings.Contains(before, ":") {
			user, _, _ := strings.Cut(before, ":")
			text = scheme + "//" + user + ":...@" + after
		}
	}
	text, query, ok := strings.Cut(text, "?")
	if !ok {
		return text
	}
	options := strings.Split(query, "&")
	for i, o := range options {
		if key, _, has := strings.Cut(o, "="); has && !strings.HasSuffix(key, "-file") {
			options[i] = key + "=..."
		}
	}
	return text + "?" + strings.Join(options, "&")
}

// Secret returns what the file that an option names holds, without the line's end;
// empty if there is no such option.
func (t *Target) Secret(option string) (string, error) {
	path := t.Options[option]
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// Hide takes secrets out of what a server has answered: some tell in an error what they
// were asked.
func Hide(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "...")
		}
	}
	return text
}
