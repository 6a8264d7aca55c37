package acceptance

import (
	"context"
	"fmt"
	"io"

	"rtfm/cmd"
)

// runMain runs the program within this process and returns its exit status.
func runMain(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return cmd.Run(context.Background(), args, stdin, stdout, stderr)
}

// runIn is runMain until ctx is done; an exit status other than 0 is an error.
func runIn(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if status := cmd.Run(ctx, args, stdin, stdout, stderr); status != 0 {
		return failed(status)
	}
	return nil
}

// failed is the exit status of a program that has failed.
type failed int

func (s failed) Error() string { return fmt.Sprintf("exit status %d", int(s)) }
