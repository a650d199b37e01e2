package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/dragoman-im/dragoman/core/server"
)

func accountCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "account",
		Short: "Make, change and remove accounts; the server may be running",
	}
	cmd.AddCommand(
		passwordCommand("add USER[@HOST]", "Make an account", "made", (*server.Accounts).Add),
		passwordCommand("passwd USER[@HOST]", "Change an account's password", "has a new password", (*server.Accounts).SetPassword),
		&cobra.Command{
			Use: "rm USER[@HOST]", Short: "Delete an account and all that belongs to it", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return withAccounts(cmd, func(a *server.Accounts) error {
					name, err := a.Remove(cmd.Context(), args[0])
					if err == nil {
						fmt.Fprintln(cmd.OutOrStdout(), name, "is deleted")
					}
					return err
				})
			},
		},
		&cobra.Command{
			Use: "ls", Short: "List the accounts", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return withAccounts(cmd, func(a *server.Accounts) error { return list(cmd, a) })
			},
		},
	)
	return cmd
}

func list(cmd *cobra.Command, a *server.Accounts) error {
	all, err := a.List(cmd.Context())
	for _, account := range all {
		state := ""
		if !account.Disabled.IsZero() {
			state = "  disabled " + account.Disabled.Format(time.DateOnly)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s  since %s%s\n", account.JID, account.Created.Format(time.DateOnly), state)
	}
	return err
}

func passwordCommand(use, short, done string, do func(*server.Accounts, context.Context, string, string) (string, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		Long: short + ". The password is asked for, or read from the first line of standard input where that is no terminal.",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return withAccounts(cmd, func(a *server.Accounts) error {
			password, err := readPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			name, err := do(a, cmd.Context(), args[0], password)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), name, done)
			}
			return err
		})
	}
	return cmd
}

func withAccounts(cmd *cobra.Command, f func(*server.Accounts) error) error {
	c, err := load(cmd)
	if err != nil {
		return err
	}
	a, err := server.OpenAccounts(cmd.Context(), c)
	if err != nil {
		return err
	}
	return errors.Join(f(a), a.Close())
}

// readPassword asks twice at a terminal, and reads one line elsewhere.
func readPassword(in io.Reader, prompt io.Writer) (string, error) {
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		first, err := ask(f, prompt, "Password: ")
		if err != nil {
			return "", err
		}
		second, err := ask(f, prompt, "Again: ")
		if err == nil && first != second {
			err = errors.New("the two passwords differ")
		}
		return first, err
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("no password on standard input")
	}
	return line, nil
}

func ask(terminal *os.File, prompt io.Writer, what string) (string, error) {
	fmt.Fprint(prompt, what)
	text, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(prompt)
	return string(text), err
}
