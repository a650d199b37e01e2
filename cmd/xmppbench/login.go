package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
)

// loginCommand measures logins: connect, authenticate, bind, disconnect.
func loginCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "login", Short: "Logins, one after another on several connections", Args: cobra.NoArgs}
	users := cmd.Flags().Int("users", 100, "accounts to use")
	at := cmd.Flags().Int("at", 16, "how many at the same time")
	duration := cmd.Flags().Duration("for", 5*time.Second, "for how long")
	roster := cmd.Flags().Bool("roster", false, "request the roster and send presence too")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return run(cmd.Context(), cmd.OutOrStdout(), o, func(ctx context.Context, t target) (figures, error) {
			others, err := online(ctx, t, o)
			if err != nil {
				return nil, err
			}
			defer closeAll(others)
			return logins(ctx, t, o, loginLoad{*users, *at, *duration, *roster})
		})
	}
	return cmd
}

type loginLoad struct {
	users, at int
	length    time.Duration
	roster    bool
}

func logins(ctx context.Context, t target, o *options, l loginLoad) (figures, error) {
	before, err := measure(t.pids)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	var n atomic.Int64
	latencies := make([][]time.Duration, l.at)
	errs := make([]error, l.at)
	var wg sync.WaitGroup
	for i := range l.at {
		wg.Go(func() {
			for k := i; time.Since(begin) < l.length && ctx.Err() == nil; k += l.at {
				start := time.Now()
				c, err := dial(ctx, t, o, k%l.users)
				if err == nil && l.roster {
					if _, err = c.roster(); err == nil {
						err = c.becomeAvailable()
					}
				}
				if err != nil {
					errs[i] = err
					return
				}
				latencies[i] = append(latencies[i], time.Since(start))
				n.Add(1)
				errs[i] = c.write("</stream:stream>")
				c.conn.Close()
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(begin)
	after, err := measure(t.pids)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	var all []time.Duration
	for _, some := range latencies {
		all = append(all, some...)
	}
	f := figures{{"logins", "/s", float64(n.Load()) / elapsed.Seconds()}}
	return append(append(f, perUnit(before, after, n.Load())...), quantiles(all)...), nil
}

// registerCommand creates the accounts by in-band registration (XEP-0077).
func registerCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "register", Short: "Create the accounts, if the server allows registration", Args: cobra.NoArgs}
	users := cmd.Flags().Int("users", 100, "how many")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		targets, err := o.targets()
		if err != nil {
			return err
		}
		for _, t := range targets {
			for i := range *users {
				if err := signUp(cmd.Context(), t, o, i); err != nil {
					return fmt.Errorf("%s: register %s%d: %w", t.name, o.user, i, err)
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d accounts\n", t.name, *users)
		}
		return nil
	}
	return cmd
}

func signUp(ctx context.Context, t target, o *options, i int) error {
	c, err := connect(ctx, t, o)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	answer, err := c.ask(fmt.Sprintf("<iq type='set' id='r' to='%s'><query xmlns='jabber:iq:register'><username>%s%d</username><password>%s</password></query></iq>",
		t.domain, o.user, i, o.password), "</iq>", "<iq type='result' id='r'/>", "/>")
	if err != nil {
		return err
	}
	if strings.Contains(answer, "error") && !strings.Contains(answer, "conflict") {
		return errors.New(answer)
	}
	return nil
}
