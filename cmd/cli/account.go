package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dragoman-im/dragoman/core/accounts"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func (p program) accountCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "account",
		Short: "Make, change and remove accounts; the server may be running",
	}
	cmd.AddCommand(
		p.passwordCommand("add USER[@HOST]", "Make an account", "made", (*accounts.Accounts).Add),
		p.changePasswordCommand(),
		p.importCommand(),
		p.exportCommand(),
		p.removeCommand(),
		&cobra.Command{
			Use: "list", Aliases: []string{"ls"}, Short: "List the accounts", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return p.withAccounts(cmd, func(a *accounts.Accounts) error { return list(cmd, a) })
			},
		},
	)
	cmd.AddCommand(p.accountStateCommands()...)
	return cmd
}

func (p program) changePasswordCommand() *cobra.Command {
	keep := false
	cmd := p.passwordCommand("passwd USER[@HOST]", "Change an account's password", "has a new password",
		func(a *accounts.Accounts, ctx context.Context, name, password string) (string, error) {
			if keep {
				return a.SetPasswordOnly(ctx, name, password)
			}
			return a.SetPassword(ctx, name, password)
		})
	cmd.Long += "\n\nA running server ends the account's sessions within a second, unless --keep-sessions is given."
	cmd.Flags().BoolVar(&keep, "keep-sessions", false, "do not end the account's sessions")
	return cmd
}

func (p program) removeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rm USER[@HOST]", Short: "Delete an account and all that belongs to it", Args: cobra.ExactArgs(1),
		Long: `Delete an account with its contacts, messages and linked logins. It asks first; --yes answers.

The server may be running: it ends the account's sessions. If it is not running, nobody can log in to
the account any more, and the server deletes the rest when it is started.`,
	}
	yes := cmd.Flags().BoolP("yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.withAccounts(cmd, func(a *accounts.Accounts) error {
			if !*yes {
				name, err := a.Address(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if err := confirm(cmd, "Delete "+name+" with its contacts, messages and linked logins?"); err != nil {
					return err
				}
			}
			name, done, err := a.Remove(cmd.Context(), args[0])
			switch {
			case err != nil:
			case done:
				fmt.Fprintln(cmd.OutOrStdout(), name, "is deleted")
			default:
				fmt.Fprintln(cmd.OutOrStdout(), name, "cannot log in any more; the rest is deleted when the server runs")
			}
			if err == nil && a.Admin(name) {
				fmt.Fprintln(cmd.ErrOrStderr(), "server.admins still names", name+": whoever you give that name to next is an administrator")
			}
			return err
		})
	}
	return cmd
}

// confirm asks a question on the terminal. The error says that the answer was not yes, or that nobody can be asked.
func confirm(cmd *cobra.Command, question string) error {
	in := cmd.InOrStdin()
	if f, ok := in.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return errors.New("nothing is deleted: add --yes, as there is no terminal on which to ask")
	}
	fmt.Fprint(cmd.ErrOrStderr(), question, " [y/N] ")
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing is deleted")
}

// importAccounts creates the accounts of a list. Lines that fail are reported at the end; the other
// accounts are created.
func importAccounts(cmd *cobra.Command, a *accounts.Accounts, list io.Reader) error {
	in := bufio.NewScanner(list)
	var failed []error
	made := 0
	for line := 1; in.Scan(); line++ {
		text := strings.TrimSpace(in.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		end := strings.IndexAny(text, " \t")
		if end < 0 { // the error does not show the line: it may contain a password
			failed = append(failed, fmt.Errorf("line %d: a name and a password are wanted, with a blank between them", line))
			continue
		}
		name, password := text[:end], strings.TrimSpace(text[end:])
		if _, err := a.Add(cmd.Context(), name, password); err != nil {
			failed = append(failed, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		if made++; made%100 == 0 {
			fmt.Fprintln(cmd.ErrOrStderr(), made, "accounts …")
		}
	}
	fmt.Fprintln(cmd.OutOrStdout(), count(made, "account"), "made")
	return errors.Join(append(failed, in.Err())...)
}

func (p program) passwordCommand(use, short, done string, do func(*accounts.Accounts, context.Context, string, string) (string, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		Long: short + `.

The password is asked for, twice and unseen, or read from the first line of standard input where that
is no terminal. It is kept as SCRAM keys only.`,
		Example: "  dragoman account " + strings.Fields(use)[0] + " ann@example.org -c dragoman.toml\n" +
			"  dragoman account " + strings.Fields(use)[0] + " ann@example.org -c dragoman.toml < password.txt",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.withAccounts(cmd, func(a *accounts.Accounts) error {
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

func (p program) withAccounts(cmd *cobra.Command, f func(*accounts.Accounts) error) error {
	c, err := p.load(cmd)
	if err != nil {
		return err
	}
	a, err := accounts.Open(cmd.Context(), c)
	if err != nil {
		return err
	}
	return errors.Join(f(a), a.Close())
}

// readPassword asks twice on a terminal; from other input it reads one line.
func readPassword(in io.Reader, prompt io.Writer) (string, error) {
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		first, err := promptPassword(f, prompt, "Password: ")
		if err != nil {
			return "", err
		}
		second, err := promptPassword(f, prompt, "Again: ")
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

func promptPassword(terminal *os.File, prompt io.Writer, what string) (string, error) {
	fmt.Fprint(prompt, what)
	text, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(prompt)
	return string(text), err
}
