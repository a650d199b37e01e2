//go:build unix

package cli

import (
	"context"
	"errors"
	"log/slog"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
)

// A signal to reload or to log the state does not kill a program that is stopping. If it did, this process would end.
func TestSignalsWhileStopping(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	program{}.sendReloads(ctx, &cobra.Command{}, slog.New(slog.DiscardHandler), nil)
	logState(ctx, slog.New(slog.DiscardHandler))
	if err := errors.Join(syscall.Kill(syscall.Getpid(), syscall.SIGHUP), syscall.Kill(syscall.Getpid(), syscall.SIGUSR1)); err != nil {
		t.Error(err)
	}
}
