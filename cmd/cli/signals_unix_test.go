//go:build unix

package cli

import (
	"context"
	"errors"
	"syscall"
	"testing"
)

// A signal to reload or to log the state does not kill a program that is stopping. If it did, this process would end.
func TestSignalsWhileStopping(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	atSignal(ctx, reloadSignals, func() {})
	atSignal(ctx, stateSignals, func() {})
	if err := errors.Join(syscall.Kill(syscall.Getpid(), syscall.SIGHUP), syscall.Kill(syscall.Getpid(), syscall.SIGUSR1)); err != nil {
		t.Error(err)
	}
}
