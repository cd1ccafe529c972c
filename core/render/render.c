/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of formats: one file a format, one row here. */
#include <string.h>
#include "whittle/render.h"

extern const struct wh_renderer wh_render_nsg, wh_render_arm, wh_render_bicep, wh_render_terraform, wh_render_az, wh_render_aws,
	wh_render_aws_sh, wh_render_nft;

const struct wh_renderer *const wh_renderers[] = {
	&wh_render_nsg, &wh_render_arm, &wh_render_bicep, &wh_render_terraform, &wh_render_az, &wh_render_aws, &wh_render_aws_sh,
	&wh_render_nft, NULL};

const struct wh_renderer *wh_renderer_find(const char *name)
{
	for (size_t i = 0; i < sizeof wh_renderers / sizeof *wh_renderers; i++)
		if (wh_renderers[i] && !strcmp(wh_renderers[i]->name, name))
			return wh_renderers[i];
	return NULL;
}
