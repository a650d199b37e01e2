package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/server"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/gateways"
)

// Main runs the command line in os.Args for a program with these networks, and ends the process. more are
// additional commands of the program.
func Main(networks []transports.Registration, more ...*cobra.Command) {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go stopOnSignal(signals, stop)
	ignoreSizeSignal()
	root := Root(networks)
	root.AddCommand(more...)
	err := root.ExecuteContext(ctx)
	if errors.Is(err, server.ErrRestart) {
		err = startAgain() // returns only after an error
	}
	if err != nil {
		report(err)
		os.Exit(1)
	}
}

// stopOnSignal stops the process: in order at the first signal, at once at the second.
func stopOnSignal(signals <-chan os.Signal, stop func()) {
	<-signals
	stop()
	<-signals
	fmt.Fprintln(os.Stderr, "dragoman: stopped at once; everything that was acknowledged is committed")
	os.Exit(1)
}

// Root returns the command with all subcommands.
func Root(networks []transports.Registration) *cobra.Command {
	cmd := &cobra.Command{
		Use:           "dragoman",
		Short:         "An XMPP server with gateways to Slack, Discord and other networks",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.PersistentFlags().StringP("config", "c", "", "configuration file (without it "+defaultFile+" in this directory, if there is one, or the defaults)")
	p := program{networks}
	cmd.AddCommand(p.serveCommand(), p.componentCommand(), p.accountCommand(), p.inviteCommand(), p.configCommand(), storeCommand(), versionCommand())
	return cmd
}

// program has the parameters that the commands share.
type program struct {
	networks []transports.Registration
}

// report prints an error; the problems of a configuration are printed one per line.
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

// defaultFile is the configuration file that is used if it exists and -c names none.
const defaultFile = "dragoman.toml"

// configFile returns the configuration file, "" for none.
func configFile(cmd *cobra.Command) (string, error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil || cmd.Flags().Changed("config") {
		return file, err
	}
	if _, err := os.Stat(defaultFile); err != nil {
		return "", nil // serve logs that there is none
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "dragoman: reading %s of this directory\n", defaultFile)
	return defaultFile, nil
}

// load reads the configuration file. It warns about files with secrets that every user of the machine
// can read.
func (p program) load(cmd *cobra.Command) (config.Config, error) {
	file, err := configFile(cmd)
	if err != nil {
		return config.Config{}, err
	}
	c, err := config.Load(file, os.Environ(), gateways.Sections(p.networks)...)
	if err == nil {
		for _, exposed := range config.Exposed(file, c) {
			fmt.Fprintf(cmd.ErrOrStderr(), "dragoman: everybody on this machine may read the secret in %s: chmod 600 %s\n", exposed, exposed)
		}
	}
	return c, err
}
