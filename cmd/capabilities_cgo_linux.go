//go:build cgo

package cmd

/*
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// giveUp gives up all capabilities of the thread that the signal comes to.
static void giveUp(int sig) {
	int before = errno;
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2];
	memset(none, 0, sizeof none);
	syscall(SYS_capset, &header, none); // whether it was done is looked at
	errno = before;
}

static struct sigaction rtfmBefore;

// catchGiveUp has SIGCHLD call giveUp, on the stack that Go has for signals. It is
// one that no thread of Go's blocks, and this program has no children.
static int catchGiveUp(void) {
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = giveUp;
	action.sa_flags = SA_ONSTACK | SA_RESTART;
	sigfillset(&action.sa_mask);
	return sigaction(SIGCHLD, &action, &rtfmBefore);
}

static void leaveGiveUp(void) { sigaction(SIGCHLD, &rtfmBefore, NULL); }

// sendGiveUp sends the signal to a thread.
static void sendGiveUp(int thread) { syscall(SYS_tgkill, getpid(), thread, SIGCHLD); }
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// giveUpCapabilities gives up all capabilities for good, of each thread. The
// system only has a thread give up its own, and Go's runtime, which can have all
// its threads do something, does not in a program that is linked with C, as it is
// by default for the sake of package net. So each thread is sent a signal.
func giveUpCapabilities() error {
	if _, err := C.catchGiveUp(); err != nil {
		return fmt.Errorf("give up capabilities: %w", err)
	}
	defer C.leaveGiveUp()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		threads, err := withCapabilities()
		if err != nil {
			return fmt.Errorf("give up capabilities: %w", err)
		}
		if len(threads) == 0 {
			return nil // of any thread, and others only come from these
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("give up capabilities: %d threads have not", len(threads))
		}
		for _, thread := range threads {
			C.sendGiveUp(C.int(thread))
		}
	}
}

// withCapabilities returns the threads of this process that have any.
func withCapabilities() (threads []int, err error) {
	paths, _ := filepath.Glob("/proc/self/task/*/status")
	if len(paths) == 0 {
		return nil, errors.New("/proc tells of no threads")
	}
	for _, path := range paths {
		status, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		thread, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		for _, name := range []string{"CapInh", "CapPrm", "CapEff"} {
			if !strings.Contains(string(status), "\n"+name+":\t0000000000000000\n") {
				threads = append(threads, thread)
				break
			}
		}
	}
	return threads, nil
}
