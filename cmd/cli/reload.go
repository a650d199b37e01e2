package cli

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/config"
)

// sendReload reads the configuration again and sends it. One that is wrong is only logged.
func (p program) sendReload(ctx context.Context, cmd *cobra.Command, log *slog.Logger, to chan<- config.Config) {
	c, err := p.load(cmd)
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
		for _, problem := range problems {
			log.Error("configuration", "problem", problem)
		}
		log.Error("configuration not reloaded: nothing was changed")
	case err != nil:
		log.Error("configuration not reloaded: nothing was changed", "err", err)
	default:
		warn(log, c)
		select {
		case to <- c:
		case <-ctx.Done():
		}
	}
}
