// A federated module as JupyterLab 4 loads it, written by hand: it needs Lab's own tokens and nothing built.
// https://jupyterlab.readthedocs.io/en/stable/extension/extension_dev.html#prebuilt-extensions
(() => {
  const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24">
    <circle cx="12" cy="12" r="10" fill="#0072b2"/><circle cx="12" cy="12" r="6.6" fill="none" stroke="#fff" stroke-width="1.4"/>
    <circle cx="12" cy="12" r="3" fill="#fff"/></svg>`;
  let shared;
  const lab = async (name) => (await Object.values(shared[name])[0].get())();
  const extension = async () => {
    const [{ ILauncher }, { ICommandPalette }, { PageConfig, URLExt }, { LabIcon }] = await Promise.all(
      ["launcher", "apputils", "coreutils", "ui-components"].map((name) => lab(`@jupyterlab/${name}`)));
    return {
      id: "emlab:launcher",
      description: "Opens the form that starts sessions",
      autoStart: true,
      optional: [ILauncher, ICommandPalette],
      activate: ({ commands }, launcher, palette) => {
        const command = "emlab:launch";
        commands.addCommand(command, {
          label: "emlab",
          caption: "Start a session, or watch one that runs",
          icon: new LabIcon({ name: "emlab:icon", svgstr: ICON }),
          execute: () => { window.open(URLExt.join(PageConfig.getBaseUrl(), "emlab/launch.ipynb"), "_blank", "noopener"); },
        });
        launcher?.add({ command, category: "Cryo-EM", rank: 0 });
        palette?.addItem({ command, category: "emlab" });
      },
    };
  };
  const modules = (window._JUPYTERLAB ??= {});
  modules.emlab = {
    init: (scope) => { shared = scope; },
    get: async () => { const made = { __esModule: true, default: await extension() }; return () => made; },
  };
})();
