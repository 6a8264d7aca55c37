package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// community is where an SNMP community, or a passphrase, comes from: its file, the environment,
// or the command line, which other users of the machine can see.
type community struct {
	option   string // names the file
	file     string
	variable string // of the environment
	argument string
}

// value returns the community, "" if none is given anywhere. Communities given
// on the command line are warned of.
func (c *community) value(warn io.Writer) (string, error) {
	if c.argument != "" {
		fmt.Fprintf(warn, "rtfm: warning: a community on the command line can be seen by all users of this machine: use --%s or %s\n", c.option, c.variable)
		return c.argument, nil
	}
	if c.file == "" {
		return os.Getenv(c.variable), nil
	}
	text, err := os.ReadFile(c.file)
	if err != nil {
		return "", err
	}
	s := strings.TrimRight(string(text), "\r\n")
	switch {
	case s == "":
		return "", fmt.Errorf("%s: nothing in it", c.file)
	case strings.ContainsAny(s, "\r\n"):
		return "", fmt.Errorf("%s: more than one line", c.file)
	}
	return s, nil
}

// secretFile is the path of a file that holds a community.
type secretFile string

func (f secretFile) chown(uid, gid int) error { return os.Chown(string(f), uid, gid) }

// randomCommunity makes a community that nobody can guess and writes it to a
// new file that only this user can read.
func randomCommunity() (value string, file secretFile, err error) {
	f, err := os.CreateTemp(os.Getenv("XDG_RUNTIME_DIR"), "rtfm-community-*") // with mode 0600
	if err != nil {
		return "", "", err
	}
	value = rand.Text()
	_, err = fmt.Fprintln(f, value)
	if err = errors.Join(err, f.Close()); err != nil {
		return "", "", errors.Join(err, os.Remove(f.Name()))
	}
	return value, secretFile(f.Name()), nil
}
