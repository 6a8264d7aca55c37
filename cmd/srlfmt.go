package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"rtfm/ruleset/compile"
)

// srlFmtOptions are the options of `rtfm srl fmt`.
type srlFmtOptions struct {
	programs          *programOptions
	list, diff, write bool
}

// srlFmtCommand is `rtfm srl fmt`.
func srlFmtCommand(programs *programOptions) *cobra.Command {
	o := srlFmtOptions{programs: programs}
	cmd := &cobra.Command{
		Use:   "fmt [-d] [-l] [-w] [FILE...]",
		Short: "Lay programs out in the usual form",
		Long: `Lay programs out in the usual form: one statement a line, indented by three blanks,
keywords in small letters, attributes spelled as they are named, comments at the ends
of lines below each other. Comments, blank lines (one at most), DEFINEs, INCLUDEs and
line breaks in lists and expressions stay where they are, and so does what the
program means. Without options the result is printed. Without a FILE, or for "-",
standard input is read. Faulty programs are refused and left alone.

Exit status: 0 if all went well, 1 if a program is faulty, or with -d or -l if a
program is laid out otherwise.`,
		Example: `  rtfm srl fmt -w *.srl             lay out all programs here
  rtfm srl fmt -d ports.srl         show what would be changed
  rtfm srl fmt -l *.srl             fails if a program is laid out otherwise`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.BoolVarP(&o.diff, "diff", "d", false, "print what would change, and no programs")
	f.BoolVarP(&o.list, "list", "l", false, "print the names of FILEs that would change, and no programs")
	f.BoolVarP(&o.write, "write", "w", false, "write the result to the FILE if it differs, and print no programs")
	return cmd
}

func (o *srlFmtOptions) run(cmd *cobra.Command, names []string) error {
	if len(names) == 0 {
		names = []string{"-"}
	}
	if err := readOnce(names...); err != nil {
		return err
	}
	var failed error
	for _, name := range names {
		if name == "-" && o.write {
			return errors.New("standard input cannot be written to: -w wants FILEs")
		}
		differs, err := o.format(name, cmd.InOrStdin(), cmd.OutOrStdout())
		if err != nil {
			cmd.PrintErrln(err)
		}
		if err != nil || differs && (o.list || o.diff) && !o.write {
			failed = &exitError{status: StatusFailed}
		}
	}
	return failed
}

// format lays out one program, and reports whether that changes it.
func (o *srlFmtOptions) format(name string, stdin io.Reader, w io.Writer) (differs bool, err error) {
	text, err := compile.ReadProgram(name, stdin)
	if err != nil {
		return false, err
	}
	formatted, err := compile.Format(name, text, o.programs.Options)
	if err != nil {
		return false, err
	}
	differs = !bytes.Equal(text, formatted)
	if differs && o.list {
		fmt.Fprintln(w, name)
	}
	if differs && o.diff {
		w.Write(diff.Diff(name+".orig", text, name, formatted))
	}
	switch {
	case differs && o.write:
		return true, replaceFile(name, formatted)
	case o.write || o.list || o.diff:
		return differs, nil
	}
	_, err = w.Write(formatted)
	return differs, err
}

// replaceFile gives a file another content, all of it or nothing.
func replaceFile(name string, content []byte) error {
	name, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // which fails once it has its name
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
