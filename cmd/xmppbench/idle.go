package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

// idleCommand measures the memory of idle sessions.
func idleCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "idle", Short: "Idle sessions: resident memory of each", Args: cobra.NoArgs}
	n := cmd.Flags().Int("sessions", 10000, "how many sessions")
	users := cmd.Flags().Int("users", 1000, "accounts that the sessions are spread over")
	settle := cmd.Flags().Duration("settle", 3*time.Second, "how long to wait before each measurement of the memory")
	warm := cmd.Flags().Int("warm", 100, "sessions that are opened and closed before the measurement")
	presence := cmd.Flags().Bool("presence", false, "send presence")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return run(cmd.Context(), cmd.OutOrStdout(), o, func(ctx context.Context, t target) (figures, error) {
			// The first sessions are not measured: they also allocate what all sessions share.
			first, err := sessions(ctx, t, o, *warm, func(i int) int { return i % *users })
			if err != nil {
				return nil, err
			}
			closeAll(first)
			if err := pause(ctx, *settle); err != nil {
				return nil, err
			}
			before, err := measure(t.pids)
			if err != nil {
				return nil, err
			}
			clients, err := sessions(ctx, t, o, *n, func(i int) int { return i % *users })
			if err != nil {
				return nil, err
			}
			defer closeAll(clients)
			for _, c := range clients {
				if *presence {
					if err := c.becomeAvailable(); err != nil {
						return nil, err
					}
				}
				c.buf = nil
			}
			if err := pause(ctx, *settle); err != nil {
				return nil, err
			}
			after, err := measure(t.pids)
			if err != nil {
				return nil, err
			}
			return figures{
				{"sessions", "", float64(*n)}, {"memory", "KB/session", float64(after.rss-before.rss) / float64(*n) / 1000},
				{"resident", "MB", float64(after.rss) / 1e6},
			}, nil
		})
	}
	return cmd
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
