package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/meter/packet"
	"rtfm/traces"
	"rtfm/traces/anonymise"
)

// anonymiseOptions are the options of replacing addresses in packets.
type anonymiseOptions struct {
	scheme  string
	keyFile string
	keep    keptPrefixes
	payload bool
	r       *anonymise.Rewriter // nil if packets stay as they are
}

// keyVariable is the variable of the environment that may have the key.
const keyVariable = "RTFM_ANONYMISE_KEY"

// add adds the options to a command's.
func (o *anonymiseOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(newChoice(&o.scheme, "", anonymise.SchemeNames()...), "anonymise", "replace the addresses in packets by this `SCHEME`, which keeps prefixes: cryptopan or ipcrypt-pfx,\nand leave out payload; see docs/ANONYMISE.md")
	f.StringVar(&o.keyFile, "key-file", "", "with --anonymise, `FILE` that holds the key: 32 octets, or 64 hexadecimal digits; or environment "+keyVariable)
	f.Var(&o.keep, "keep", "with --anonymise, leave addresses in this `PREFIX` as they are, such as 10/8; may be repeated")
	f.BoolVar(&o.payload, "keep-payload", false, "with --anonymise, leave payload as it is, which may have addresses, names and more")
}

// prepare finds options that nothing asks for, and reads the key.
func (o *anonymiseOptions) prepare(cmd *cobra.Command) error {
	for _, name := range []string{"key-file", "keep", "keep-payload"} {
		if o.scheme == "" && cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s needs --anonymise, %s", name, strings.Join(anonymise.SchemeNames(), " or "))
		}
	}
	if o.scheme == "" {
		return nil
	}
	key, err := o.key()
	if err != nil {
		return err
	}
	cfg := anonymise.Config{Key: *key, Keep: o.keep, KeepPayload: o.payload, Parts: packet.Parts}
	if o.scheme == anonymise.IpcryptPFX.String() {
		cfg.Scheme = anonymise.IpcryptPFX
	}
	if o.r, err = anonymise.NewRewriter(&cfg); err != nil {
		return fmt.Errorf("--anonymise %s: %w", o.scheme, err)
	}
	return nil
}

// key reads the key.
func (o *anonymiseOptions) key() (*anonymise.Key, error) {
	if o.keyFile == "" {
		text := os.Getenv(keyVariable)
		if text == "" {
			return nil, errors.New("--anonymise needs a key: --key-file FILE, or environment " + keyVariable)
		}
		key, err := anonymise.ParseKey(text)
		if err != nil {
			return nil, fmt.Errorf("environment %s: %w", keyVariable, err)
		}
		return key, nil
	}
	f, err := os.Open(o.keyFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() && st.Mode()&0o004 != 0 {
		return nil, fmt.Errorf("%s: everybody can read this key, and with it all addresses: chmod 600 %[1]s", o.keyFile)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return nil, err
	}
	key, err := anonymise.ParseKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.keyFile, err)
	}
	return key, nil
}

// filter returns src, with addresses replaced if that is wanted.
func (o *anonymiseOptions) filter(src traces.Source) traces.Source {
	if o.r == nil {
		return src
	}
	return anonymise.Source(src, o.r)
}

// rewrite returns what replaces addresses in a packet, valid until the next one; nil if
// that is not wanted.
func (o *anonymiseOptions) rewrite() func(p *traces.Packet) {
	if o.r == nil {
		return nil
	}
	return func(p *traces.Packet) {
		o.r.Reset()
		o.r.Rewrite(p)
	}
}

// notes returns what people should know of packets that were not rewritten whole.
func (o *anonymiseOptions) notes() (notes []string) {
	if o.r == nil {
		return nil
	}
	c := o.r.Counts()
	if c.Unknown > 0 {
		notes = append(notes, fmt.Sprintf("%s of unknown link types: nothing is left of them, since they may have addresses", counted(c.Unknown, "packet")))
	}
	if c.Cut > 0 {
		notes = append(notes, fmt.Sprintf("%s cut where something unknown begins, since it may have addresses", counted(c.Cut, "packet")))
	}
	return notes
}

// parameters returns those that were given, as NeMaC's flow data files show them.
func (o *anonymiseOptions) parameters() (p []string) {
	if o.scheme == "" {
		return nil
	}
	p = append(p, "--anonymise", o.scheme)
	for _, k := range o.keep {
		p = append(p, "--keep", k.String())
	}
	return p
}
