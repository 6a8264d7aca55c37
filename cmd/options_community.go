package cmd

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"rtfm/manager"
)

// community is where an SNMP community, or a passphrase, comes from: its file, the environment,
// or the command line, which other users of the machine can see.
type community struct {
	option   string // names the file
	file     string
	variable string // of the environment
	argument string
}

// add adds the option that names the file. It holds what of says, as in "the
// community".
func (c *community) add(cmd *cobra.Command, of string) {
	cmd.Flags().StringVar(&c.file, c.option, "", "`FILE` that holds "+of+"; or environment "+c.variable)
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
	secret, err := manager.SecretFromFile(c.file)
	return secret.Reveal(), err
}

// secretFile is a file that holds a community, made by this process.
type secretFile struct{ f *os.File }

// chown gives the file to a user. It is this one file, whatever has its name now:
// others may be allowed to change the folder.
func (s *secretFile) chown(uid, gid int) error { return s.f.Chown(uid, gid) }

// remove removes the file.
func (s *secretFile) remove() {
	s.f.Close()
	os.Remove(s.f.Name())
}

// randomCommunity makes a community that nobody can guess and writes it to a
// new file that only this user can read.
func randomCommunity() (value string, file *secretFile, err error) {
	f, err := os.CreateTemp(os.Getenv("XDG_RUNTIME_DIR"), "rtfm-community-*") // with mode 0600
	if err != nil {
		return "", nil, err
	}
	file = &secretFile{f}
	value = rand.Text()
	if _, err = fmt.Fprintln(f, value); err != nil {
		file.remove()
		return "", nil, err
	}
	return value, file, nil
}
