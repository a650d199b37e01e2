package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
)

// resumeCommand measures how long it takes until all sessions are resumed that were cut off at once (XEP-0198).
func resumeCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "resume", Short: "Sessions that are cut off and resumed", Args: cobra.NoArgs}
	count := cmd.Flags().Int("sessions", 1000, "how many sessions")
	at := cmd.Flags().Int("at-once", 32, "how many clients log in at a time")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return run(cmd.Context(), cmd.OutOrStdout(), o, func(ctx context.Context, t target) (figures, error) {
			return resumptions(ctx, t, o, resumeLoad{*count, *at})
		})
	}
	return cmd
}

type resumeLoad struct{ count, at int }

// enable enables stream management and returns the id of the session.
func (c *client) enable() (string, error) {
	if _, err := c.ask("<enable xmlns='urn:xmpp:sm:3' resume='true'/>", "<enabled "); err != nil {
		return "", err
	}
	answer, err := c.until("/>")
	if err != nil {
		return "", err
	}
	_, id, _ := strings.Cut(answer, "id='")
	id, _, ok := strings.Cut(id, "'")
	if !ok {
		return "", fmt.Errorf("the session cannot be resumed: %s", answer)
	}
	return id, nil
}

func resumptions(ctx context.Context, t target, o *options, l resumeLoad) (figures, error) {
	clients, err := sessions(ctx, t, o, l.count, func(i int) int { return i % max(1, o.accounts) })
	if err != nil {
		return nil, err
	}
	ids := make([]string, l.count)
	for i, c := range clients {
		if err := c.becomeAvailable(); err != nil {
			return nil, err
		}
		if ids[i], err = c.enable(); err != nil {
			return nil, err
		}
	}
	closeAll(clients)
	before, err := measure(t.pids)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	latencies, errs := make([]time.Duration, l.count), make([]error, l.at)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range l.at {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < l.count && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				start := time.Now()
				if clients[i], errs[w] = resume(ctx, t, o, i%max(1, o.accounts), ids[i]); errs[w] != nil {
					return
				}
				latencies[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(begin)
	closeAll(clients)
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	after, err := measure(t.pids)
	if err != nil {
		return nil, err
	}
	f := figures{{"all sessions", "s", elapsed.Seconds()}, {"resumed", "/s", float64(l.count) / elapsed.Seconds()}}
	return append(append(f, perUnit(before, after, int64(l.count))...), quantiles(latencies)...), nil
}

// resume logs in and resumes a session.
func resume(ctx context.Context, t target, o *options, account int, id string) (*client, error) {
	c, err := connect(ctx, t, o)
	if err != nil {
		return nil, err
	}
	if err := c.signIn(t, o, account); err != nil {
		c.conn.Close()
		return nil, err
	}
	answer, err := c.ask("<resume xmlns='urn:xmpp:sm:3' h='0' previd='"+id+"'/>", "<resumed ", "<failed ")
	if err == nil && strings.Contains(answer, "<failed ") {
		err = fmt.Errorf("not resumed: %s", c.buf)
	}
	if err != nil {
		c.conn.Close()
		return nil, err
	}
	c.buf = nil
	return c, nil
}
