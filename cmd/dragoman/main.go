package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/config"
)

func main() {
	ctx, stop := context.WithCancel(context.Background())
	asked := make(chan os.Signal, 2)
	signal.Notify(asked, os.Interrupt, syscall.SIGTERM)
	go obey(asked, stop)
	surviveSizeLimit()
	if err := root().ExecuteContext(ctx); err != nil {
		report(err)
		os.Exit(1)
	}
}

// obey ends the process: in order at the first signal, at once at the second.
func obey(asked <-chan os.Signal, stop func()) {
	<-asked
	stop()
	<-asked
	fmt.Fprintln(os.Stderr, "dragoman: ended at once; what was promised is on disk")
	os.Exit(1)
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "dragoman",
		Short:         "An XMPP server with gateways to Slack, Discord and other networks",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.PersistentFlags().StringP("config", "c", "", "configuration file (without one, the defaults hold)")
	cmd.AddCommand(serveCommand(), componentCommand(), accountCommand(), configCommand(), versionCommand())
	cmd.AddCommand(demoCommands()...)
	return cmd
}

// report prints an error for a person: all problems of a configuration, one a line.
func report(err error) {
	var problems config.Problems
	if errors.As(err, &problems) {
		fmt.Fprintln(os.Stderr, "dragoman: the configuration has", count(len(problems), "problem"))
		for _, p := range problems {
			fmt.Fprintln(os.Stderr, "  "+p)
		}
		return
	}
	fmt.Fprintln(os.Stderr, "dragoman:", err)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// load reads the configuration that -c names. A secret that everybody may read is worth a word.
func load(cmd *cobra.Command) (config.Config, error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return config.Config{}, err
	}
	c, err := config.Load(file, os.Environ())
	if err == nil {
		for _, exposed := range config.Exposed(file, c) {
			fmt.Fprintf(cmd.ErrOrStderr(), "dragoman: everybody on this machine may read the secret in %s: chmod 600 %s\n", exposed, exposed)
		}
	}
	return c, err
}
