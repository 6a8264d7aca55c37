package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rtfm/mib"
	"rtfm/ruleset/spell"
)

const mibHelp = `Show and install the MIB modules of meters, and what polls meters by them.

Tools of SNMP know a meter's objects by name once they find these modules, and those
that they import: mib/SNMP.md says which, and how to come by them.`

const mibInstallHelp = `Write the MIB modules of meters to a folder where tools of SNMP find them.

Without DIR that is where net-snmp looks: /usr/share/snmp/mibs for root, and
~/.snmp/mibs for others. Modules of an earlier rtfm are replaced. Tools then have to be
told to read them: snmpwalk -m +FLOW-METER-MIB:RTFM-EXTENSION-MIB ..., or in snmp.conf
"mibs +FLOW-METER-MIB:RTFM-EXTENSION-MIB".`

// mibCommand is `rtfm mib`.
func mibCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "mib", Short: "Show and install the MIB modules of meters", Long: mibHelp, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List the MIB modules", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, m := range mib.Texts() {
				fmt.Fprintf(cmd.OutOrStdout(), "%-18s  %s\n", m.Name, m.About)
			}
			return nil
		},
	}, &cobra.Command{
		Use: "show MODULE", Short: "Print a MIB module", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return showMIB(cmd, args[0]) },
	}, &cobra.Command{
		Use: "install [DIR]", Short: "Write the MIB modules where net-snmp finds them", Long: mibInstallHelp, Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return installMIBs(cmd, args) },
	}, mibExporterCommand(), mibZabbixCommand())
	return cmd
}

// showMIB prints the module of this name.
func showMIB(cmd *cobra.Command, name string) error {
	var names []string
	for _, m := range mib.Texts() {
		if m.Name == name {
			_, err := cmd.OutOrStdout().Write(m.Text)
			return err
		}
		names = append(names, m.Name)
	}
	return errors.New(spell.UnknownOf("module", name, names))
}

// installMIBs writes the modules to the folder that is given, or that net-snmp looks in.
func installMIBs(cmd *cobra.Command, args []string) error {
	dir := "/usr/share/snmp/mibs"
	switch home, err := os.UserHomeDir(); {
	case len(args) > 0:
		dir = args[0]
	case os.Geteuid() == 0:
	case err != nil:
		return errors.New("there is no home folder: say where, as in rtfm mib install DIR")
	default:
		dir = filepath.Join(home, ".snmp", "mibs")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, m := range mib.Texts() {
		path := filepath.Join(dir, m.Name+".txt")
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, m.Text) {
			fmt.Fprintf(cmd.OutOrStdout(), "%s is there\n", path)
			continue
		}
		if err := replaceWith(path, m.Text); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n", path)
	}
	return nil
}

// replaceWith writes a file that others may read, whole or not at all.
func replaceWith(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".rtfm-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
