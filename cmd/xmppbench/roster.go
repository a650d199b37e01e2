package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"
)

// rosterCommand gives the accounts rosters of some size, for the other measurements.
func rosterCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "roster", Short: "Put contacts into the rosters of the accounts", Args: cobra.NoArgs}
	users := cmd.Flags().Int("users", 100, "how many accounts")
	contacts := cmd.Flags().Int("contacts", 1000, "how many contacts each")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		targets, err := o.targets()
		if err != nil {
			return err
		}
		for _, t := range targets {
			clients, err := sessions(cmd.Context(), t, o, *users, same)
			if err != nil {
				return err
			}
			defer closeAll(clients)
			errs := make([]error, len(clients))
			var wg sync.WaitGroup
			for i, c := range clients {
				wg.Go(func() { errs[i] = c.fillRoster(t.domain, *contacts) })
			}
			wg.Wait()
			if err := errors.Join(errs...); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
		return nil
	}
	return cmd
}

// fillRoster adds contacts, one after the other (RFC 6121 §2.3).
func (c *client) fillRoster(domain string, n int) error {
	for k := range n {
		id := fmt.Sprintf("add%d", k)
		_, err := c.ask(fmt.Sprintf("<iq type='set' id='%s'><query xmlns='jabber:iq:roster'><item jid='friend%d@%s' name='Friend %d'><group>Friends</group></item></query></iq>",
			id, k, domain, k), "id='"+id+"'", "id=\""+id+"\"")
		if err != nil {
			return fmt.Errorf("add contact %d: %w", k, err)
		}
	}
	if have, err := c.roster(); err != nil || strings.Count(have, "<item") < n {
		return fmt.Errorf("%d of %d contacts were added: %w", strings.Count(have, "<item"), n, err)
	}
	return nil
}
