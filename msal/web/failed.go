package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/msalext/msalext/msal"
)

// failedAnswer tells a person why nobody was signed in. What anybody can cause by
// a link is noise, and not logged above debug.
func (a *App) failedAnswer(w http.ResponseWriter, r *http.Request, f flow, err error) {
	ctx := r.Context()
	noise := func(status int, p Page) {
		a.log.DebugContext(ctx, "sign-in not finished", "err", err)
		a.answer(w, r, status, p)
	}
	refused, _ := errors.AsType[*msal.Error](err)
	foreign, _ := errors.AsType[*msal.IDTokenError](err)
	tooLarge, _ := errors.AsType[*http.MaxBytesError](err)
	switch {
	case tooLarge != nil:
		noise(http.StatusRequestEntityTooLarge, pageStrange())
	case errors.Is(err, errNotAForm):
		noise(http.StatusUnsupportedMediaType, pageStrange())
	case errors.Is(err, errFlowUsed):
		noise(http.StatusConflict, pageUsed(f.To))
	case errors.Is(err, errFlowOld):
		noise(http.StatusBadRequest, pageExpired(f.To))
	case errors.Is(err, errFlowMissing):
		noise(http.StatusBadRequest, pageUnknown())
	case errors.Is(err, errMixUp), errors.Is(err, msal.ErrState), errors.Is(err, msal.ErrAnswer), errors.Is(err, msal.ErrFlow):
		noise(http.StatusBadRequest, pageStrange())
	case errors.Is(err, ErrForbidden):
		a.log.InfoContext(ctx, "sign-in refused", "err", err)
		a.answer(w, r, http.StatusForbidden, pageForbidden())
	case errors.Is(err, msal.ErrAccessDenied):
		noise(http.StatusForbidden, pageCancelled(f.To, code(refused)))
	case foreign != nil:
		a.log.WarnContext(ctx, "sign-in with a foreign ID token", "err", foreign)
		a.answer(w, r, http.StatusBadGateway, pageStrange())
	case refused != nil && !errors.Is(err, msal.ErrServerBusy):
		a.log.WarnContext(ctx, "sign-in refused by the identity provider", "err", refused.LogValue())
		a.answer(w, r, http.StatusBadGateway, pageRefused(f.To, code(refused)))
	default:
		a.log.ErrorContext(ctx, "sign-in failed", "err", err)
		a.answer(w, r, http.StatusServiceUnavailable, pageUnavailable())
	}
}

// code is what a person can tell support.
func code(e *msal.Error) string {
	if e == nil {
		return ""
	}
	if len(e.Codes) > 0 {
		return fmt.Sprintf("AADSTS%d", e.Codes[0])
	}
	return word(e.Code)
}
