package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/server"
)

func serveCommand() *cobra.Command {
	return runCommand("serve", "Run the XMPP server with its gateways", server.Serve)
}

func componentCommand() *cobra.Command {
	return runCommand("component", "Run the gateways as components of another XMPP server (XEP-0114)", server.Component)
}

func runCommand(use, short string, run func(context.Context, config.Config, *slog.Logger) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			log := logger(c.Log, os.Stderr)
			ctx, stop := context.WithCancel(cmd.Context())
			var beside sync.WaitGroup
			beside.Go(func() { tellState(ctx, log) })
			defer beside.Wait()
			defer stop()
			return run(ctx, c, log)
		},
	}
}

// logger makes the logger that the configuration asks for.
func logger(c config.Log, w io.Writer) *slog.Logger {
	level := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}[c.Level]
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
