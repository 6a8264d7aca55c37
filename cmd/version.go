package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version returns the program's version, as the Go tool chain knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

// builtFrom tells what the program was built from, and with what. The commit and
// its date are unknown where it was built without a repository.
func builtFrom() string {
	commit, date, changed := "unknown", "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.time":
				date = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = ", and changes"
			}
		}
	}
	return fmt.Sprintf("rtfm %s\ncommit %s%s\ndate %s\nbuilt with %s for %s/%s\n", version(), commit, changed, date, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// versionCommand is `rtfm version`.
func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and what it was built from",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), builtFrom())
			return err
		},
	}
}
