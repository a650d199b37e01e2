package cli

import (
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/accounts"
	"github.com/spf13/cobra"
)

func (p program) inviteCommand() *cobra.Command {
	var o accounts.InviteOptions
	cmd := &cobra.Command{
		Use: "invite", Short: "Make an invitation, with which somebody can register an account", Args: cobra.NoArgs,
		Long: `Make an invitation, with which somebody can register an account from a client (XEP-0445), also where
registration is not open. It is printed as a URI that clients understand, and, where web.url is set, as the address of
a page that tells in a browser what to do. Give it only to the person whom you invite.

The server may be running. The invitation is good for accounts.invitation_time, and once.`,
		Example: "  dragoman invite -c dragoman.toml\n  dragoman invite --user ann --for 48h -c dragoman.toml\n  dragoman invite --uses 30 -c dragoman.toml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withAccounts(cmd, func(a *accounts.Accounts) error {
				i, err := a.Invite(cmd.Context(), o)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), i.URI)
				if i.Page != "" {
					fmt.Fprintln(cmd.OutOrStdout(), i.Page)
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "good until", i.Expires.Format(time.RFC3339))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&o.User, "user", "", "the user name of the new account, which is kept for it; without it whoever registers chooses one")
	cmd.Flags().StringVar(&o.Host, "host", "", "the served host, if it is not the first one")
	cmd.Flags().IntVar(&o.Uses, "uses", 1, "how many accounts can be registered")
	cmd.Flags().DurationVar(&o.For, "for", 0, "how long it is good, such as 48h; 0: accounts.invitation_time")
	return cmd
}
