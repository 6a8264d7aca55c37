package manager

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Secret is a community or a password. However it is printed, it does not
// show; Reveal returns it.
type Secret struct{ text string }

// maxSecret is the length of the longest secret, in octets.
const maxSecret = 1024

// NewSecret returns a Secret.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == "" }

// Format implements fmt.Formatter: no verb shows the secret.
func (s Secret) Format(f fmt.State, verb rune) { io.WriteString(f, "(secret)") }

// MarshalText keeps the secret out of JSON and logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }

// SecretFromEnv returns the secret that an environment variable holds.
func SecretFromEnv(name string) (Secret, error) {
	text, ok := os.LookupEnv(name)
	if !ok {
		return Secret{}, fmt.Errorf("environment variable %s is not set", name)
	}
	s, err := checkSecret(text)
	if err != nil {
		return s, fmt.Errorf("environment variable %s: %w", name, err)
	}
	return s, nil
}

// SecretFromFile returns the secret that a file holds: one line, without the
// line end after it.
func SecretFromFile(name string) (Secret, error) {
	f, err := os.Open(name)
	if err != nil {
		return Secret{}, err
	}
	defer f.Close()
	const most = 2 * maxSecret // with line ends
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return Secret{}, err
	case len(text) > most:
		return Secret{}, fmt.Errorf("%s: more than %d octets", name, most)
	}
	s, err := checkSecret(strings.TrimRight(string(text), "\r\n"))
	if err != nil {
		return s, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func checkSecret(text string) (Secret, error) {
	switch {
	case text == "":
		return Secret{}, errors.New("nothing in it")
	case strings.ContainsAny(text, "\r\n"):
		return Secret{}, errors.New("more than one line")
	case len(text) > maxSecret:
		return Secret{}, fmt.Errorf("the secret is longer than %d octets", maxSecret)
	}
	return Secret{text}, nil
}
