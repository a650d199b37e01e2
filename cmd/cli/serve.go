package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/transports/gateways"
)

func (p program) serveCommand() *cobra.Command {
	cmd := p.runCommand("serve", "Run the XMPP server with its gateways", gateways.Serve)
	cmd.Long = `Run the XMPP server with the gateways that are enabled, until SIGINT or SIGTERM. At SIGHUP it reads
its configuration again: see 'dragoman config doc' for the settings that can be reloaded.

Without -c it reads dragoman.toml of this directory, if there is one. Without a configuration it serves localhost, stores its data in ./data and generates a self-signed
certificate. It logs to standard error. 'dragoman account add' creates the first account, before the
server is started or while it runs.`
	cmd.Example = "  dragoman serve -c /etc/dragoman.toml"
	return cmd
}

func (p program) componentCommand() *cobra.Command {
	cmd := p.runCommand("component", "Run the gateways as components of another XMPP server (XEP-0114)", gateways.Component)
	cmd.Long = `Run the gateways that are enabled as components of a Prosody, ejabberd or Openfire (XEP-0114).

[foreign] address is the server's port for components; each gateway's domain and secret must be in
that server's configuration too. If the server refuses them, the command prints the reason and ends. If
the server cannot be reached, the command tries again until it can.`
	cmd.Example = "  dragoman component -c /etc/dragoman.toml"
	return cmd
}

func (p program) runCommand(use, short string, run func(context.Context, config.Config, gateways.Options) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.load(cmd)
			if err != nil {
				return err
			}
			var level slog.LevelVar
			level.Set(levelOf(c))
			log := logger(c.Log, os.Stderr, &level)
			warn(log, c)
			ctx, stop := context.WithCancel(cmd.Context())
			late := exitWhenLate(ctx, time.Duration(c.Server.Shutdown)+exitGrace, func() {
				log.Error("shutdown takes too long: the process exits now; everything that was acknowledged is committed")
				os.Exit(1)
			})
			defer late()
			reloads := make(chan config.Config)
			var beside sync.WaitGroup
			beside.Go(func() { atSignal(ctx, stateSignals, func() { logState(log) }) })
			beside.Go(func() { atSignal(ctx, reloadSignals, func() { p.sendReload(ctx, cmd, log, reloads) }) })
			defer beside.Wait()
			defer stop()
			err = run(ctx, c, gateways.Options{
				Networks: p.networks, Log: log, Reloads: reloads, Reloaded: func(c config.Config) { level.Set(levelOf(c)) },
			})
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				log.Info("stopped before it was ready") // as asked: not an error for who started the process
				return nil
			}
			return err
		},
	}
}

// warn logs what is wrong around a valid configuration.
func warn(log *slog.Logger, c config.Config) {
	for _, w := range config.Warnings(c, time.Now()) {
		log.Warn("configuration", "problem", w)
	}
}

func levelOf(c config.Config) slog.Level {
	return map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}[c.Log.Level]
}

// logger returns the configured logger.
func logger(c config.Log, w io.Writer, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
