package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "xmppbench:", err)
		os.Exit(1)
	}
}

func root() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use: "xmppbench", Short: "Measure an XMPP server on this machine", SilenceUsage: true, SilenceErrors: true,
		Long: "Targets are written NAME=HOST:PORT,DOMAIN[,PID]. The accounts user0, user1, … must exist with the password given, " +
			"or be created with 'xmppbench register' if the server allows registration.",
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&o.target, "target", "ours=127.0.0.1:5222,localhost", "server to measure")
	flags.StringVar(&o.versus, "vs", "", "second server, measured in turn with the first")
	flags.StringVar(&o.user, "user", "bench", "beginning of the account names")
	flags.StringVar(&o.password, "password", "bench", "password of all accounts")
	flags.StringVar(&o.mechanism, "mechanism", "PLAIN", "PLAIN, SCRAM-SHA-1, SCRAM-SHA-256, or HT-SHA-256-NONE: with a token that the first login asks for")
	flags.StringVar(&o.webSocket, "websocket", "", "HOST:PORT of the HTTP listener: connect by WebSocket, at /ws")
	flags.BoolVar(&o.tls, "tls", false, "use STARTTLS (certificates are not verified)")
	flags.IntVar(&o.repeat, "rounds", 3, "how often each server is measured")
	flags.BoolVar(&o.json, "json", false, "print only the medians, as one line of JSON for each server")
	flags.IntVar(&o.background, "beside", 0, "number of background sessions during chat and login")
	flags.IntVar(&o.accounts, "accounts", 1000, "accounts that the background sessions are spread over")
	cmd.AddCommand(archiveCommand(o), bareCommand(), messagesCommand(o), chatCommand(o), idleCommand(o), loginCommand(o), roomCommand(o), presenceCommand(o), publishCommand(o), remoteCommand(o), registerCommand(o), rosterCommand(o), resumeCommand(o))
	return cmd
}
