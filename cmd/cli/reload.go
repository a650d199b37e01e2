package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/config"
)

// sendReloads reads the configuration again at each SIGHUP and sends it, until ctx ends. One that is wrong is only
// logged.
func (p program) sendReloads(ctx context.Context, cmd *cobra.Command, log *slog.Logger, to chan<- config.Config) {
	if len(reloadSignals) == 0 {
		return
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, reloadSignals...) // not taken back: without a receiver the signal would kill the process while it stops
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
		}
		c, err := p.load(cmd)
		var problems config.Problems
		switch {
		case errors.As(err, &problems):
			for _, problem := range problems {
				log.Error("configuration", "problem", problem)
			}
			log.Error("configuration not reloaded: nothing was changed")
			continue
		case err != nil:
			log.Error("configuration not reloaded: nothing was changed", "err", err)
			continue
		}
		warn(log, c)
		select {
		case to <- c:
		case <-ctx.Done():
			return
		}
	}
}
