package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/peercred"
)

// startError says what became of a start. Nothing that the plugin printed is
// in it.
func (p *process) startError(ctx context.Context, o *Options, err error) error {
	kind := backend.KindOf(err)
	path := p.runner.plan.program.path
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded):
		e := timeoutError("start plugin", p.name, o.StartTimeout).(*backend.Error)
		e.Hint = p.startHint(err)
		return e
	case ctx.Err() != nil:
		return ended("start plugin", p.name, ctx)
	case kind == backend.ErrPluginRefused:
		return err
	}
	reason := err.Error()
	if bad := p.badPeer.Load(); bad != nil {
		err, reason = *bad, (*bad).Error()
	} else if errors.Is(err, errNoHandshake) && p.runner.process() != nil {
		reason = fmt.Sprintf("%v (%s)", err, p.runner.process().state())
	} else if e, ok := errors.AsType[*fs.PathError](err); ok {
		reason = "the system can't execute it: " + e.Err.Error()
	}
	return refused(p.name, path, p.startHint(err), "%s", reason)
}

// startHint says what to do about a plugin that didn't start.
func (p *process) startHint(err error) string {
	path := p.runner.plan.program.path
	switch {
	case p.runner.plan.program.file == nil:
		return "the program must call plugin.ServeIfInvoked before anything else in main"
	case errors.Is(err, context.DeadlineExceeded):
		return "run " + path + " by hand to see whether it starts"
	case errors.Is(err, errRubbish):
		return "a plugin must not print; report this to its author"
	case errors.Is(err, errNoHandshake):
		return "its log tells why, if it says so: set Options.Logger to see it"
	case errors.Is(err, peercred.ErrRefused):
		return "a script that runs the plugin proper must do so with exec"
	default:
		return "install a version of the plugin that fits this program and this system"
	}
}
