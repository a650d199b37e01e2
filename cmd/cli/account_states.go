package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/accounts"
	"github.com/spf13/cobra"
)

// accountStateCommands are the commands about who may log in, and who may do what.
func (p program) accountStateCommands() []*cobra.Command {
	disable := p.accountChange("disable USER[@HOST]", "Keep everybody from logging in to an account", `%s is disabled`,
		func(ctx context.Context, a *accounts.Accounts, args []string) (string, error) {
			return a.Disable(ctx, args[0])
		})
	disable.Long = `Keep everybody from logging in to an account, until 'dragoman account enable'.

A running server ends its sessions within a second. Nothing of it is deleted: messages to it wait, and its contacts stay.`
	enable := p.accountChange("enable USER[@HOST]", "Let an account that was disabled or locked log in again", `%s may log in`,
		func(ctx context.Context, a *accounts.Accounts, args []string) (string, error) {
			return a.Enable(ctx, args[0])
		})
	grant := p.accountChange("grant USER[@HOST] ROLE", "Make an account an operator or an administrator (ROLE is operator or admin)", `%s has the role now`,
		func(ctx context.Context, a *accounts.Accounts, args []string) (string, error) {
			if args[1] == "user" {
				return "", errors.New("'dragoman account revoke' takes a role away")
			}
			return a.Grant(ctx, args[0], args[1])
		})
	grant.Args = cobra.ExactArgs(2)
	grant.Long = `Make an account an operator, who looks after the accounts of users, or an administrator, who may do everything.

A running server knows it within a second. The role ends with the account. server.admins and accounts.operators give
roles too, also to addresses of other servers.`
	grant.Example = "  dragoman account grant ann@example.org operator -c dragoman.toml"
	revoke := p.accountChange("revoke USER[@HOST]", "Take away the role that 'grant' has given", `%s has no role that was granted`,
		func(ctx context.Context, a *accounts.Accounts, args []string) (string, error) {
			return a.Grant(ctx, args[0], "user")
		})
	show := &cobra.Command{
		Use: "show USER[@HOST]", Short: "Show an account's state, role and last activity", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAccounts(cmd, func(a *accounts.Accounts) error {
				info, err := a.Show(cmd.Context(), args[0])
				if err == nil {
					show(cmd, info)
				}
				return err
			})
		},
	}
	return []*cobra.Command{disable, enable, p.lockCommand(), show, grant, revoke, p.retentionCommand()}
}

func (p program) lockCommand() *cobra.Command {
	var duration time.Duration
	var until string
	lock := p.accountChange("lock USER[@HOST]", "Keep everybody from logging in to an account for a time", `%s is locked`,
		func(ctx context.Context, a *accounts.Accounts, args []string) (string, error) {
			end, err := lockEnd(duration, until)
			if err != nil {
				return "", err
			}
			return a.Lock(ctx, args[0], end)
		})
	lock.Long = `Keep everybody from logging in to an account for a time, or until a time. 'dragoman account enable' ends it earlier.

A running server ends the account's sessions within a second.`
	lock.Example = "  dragoman account lock ann@example.org --for 24h\n  dragoman account lock ann@example.org --until 2027-01-31T08:00:00Z"
	lock.Flags().DurationVar(&duration, "for", 0, "how long, such as 90m or 24h")
	lock.Flags().StringVar(&until, "until", "", "until when, such as 2027-01-31 or 2027-01-31T08:00:00Z")
	return lock
}

func (p program) retentionCommand() *cobra.Command {
	c := p.accountChange("retention USER[@HOST] DAYS", "Set how long the messages of an account are kept (DAYS is a number, forever or default)", `the archive of %s is kept so`,
		func(ctx context.Context, a *accounts.Accounts, args []string) (string, error) {
			return a.SetRetention(ctx, args[0], args[1])
		})
	c.Args = cobra.ExactArgs(2)
	c.Long = `Set how long the messages of an account are kept, in place of what the configuration says of its host.

A running server deletes what is older within an hour; it cannot be brought back. The account can choose a shorter time. 'default' is
what the configuration says.`
	c.Example = "  dragoman account retention ann@example.org 30 -c dragoman.toml"
	return c
}

// lockEnd returns the end of a lock from the two flags, of which one is given.
func lockEnd(duration time.Duration, until string) (time.Time, error) {
	switch {
	case (duration == 0) == (until == ""):
		return time.Time{}, errors.New("say how long: either --for 24h or --until 2027-01-31")
	case duration < 0:
		return time.Time{}, fmt.Errorf("--for %s is negative", duration)
	case duration > 0:
		return time.Now().Add(duration), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if end, err := time.ParseInLocation(layout, until, time.Local); err == nil {
			return end, nil
		}
	}
	return time.Time{}, fmt.Errorf("--until %s is not a time such as 2027-01-31 or 2027-01-31T08:00:00Z", until)
}

// accountChange is a command that changes an account and says so.
func (p program) accountChange(use, short, done string, do func(context.Context, *accounts.Accounts, []string) (string, error)) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAccounts(cmd, func(a *accounts.Accounts) error {
				name, err := do(cmd.Context(), a, args)
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), done+"\n", name)
				}
				return err
			})
		},
	}
}

func show(cmd *cobra.Command, a accounts.AccountInfo) {
	out := cmd.OutOrStdout()
	role := a.Role.String()
	if a.Configured && role != "user" {
		role += " (by the configuration)"
	}
	seen := "never, or online"
	if !a.LastSeen.IsZero() {
		seen = a.LastSeen.Format(time.RFC3339)
	}
	fmt.Fprintf(out, "account:   %s\ncreated:   %s\nstate:     %s\nrole:      %s\nlast seen: %s\narchive:   %s\n",
		a.JID, a.Created.Format(time.RFC3339), accountState(a), role, seen, a.Archive)
}

func accountState(a accounts.AccountInfo) string {
	switch {
	case !a.Disabled.IsZero():
		return "disabled since " + a.Disabled.Format(time.RFC3339)
	case a.Locked.After(time.Now()):
		return "locked until " + a.Locked.Format(time.RFC3339)
	}
	return "may log in"
}

func list(cmd *cobra.Command, a *accounts.Accounts) error {
	all, err := a.List(cmd.Context())
	for _, account := range all {
		var more strings.Builder
		if role := account.Role.String(); role != "user" {
			more.WriteString("  " + role)
		}
		if state := accountState(account); state != "may log in" {
			more.WriteString("  " + state)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s  since %s%s\n", account.JID, account.Created.Format(time.DateOnly), &more)
	}
	return err
}
